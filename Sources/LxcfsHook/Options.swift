import Control

/// What holds for every command.
struct Options: Equatable, Sendable {
    var files: [VirtualFile] = VirtualFile.allCases
    var cpus: CPUView?
    var isRequired = false
    var attachesUnmasked = false
    /// Whether containers in the host's pid namespace are served.
    var attachesHostPID = false
    /// Whether a running container is frozen while files are mounted in it.
    var freezes = true
    /// What the agent is to answer, for `precreate` and `seccomp-profile`.
    var intercepted: InterceptedSet = []
    var origin = Origin.daemon(runtimeDirectory: Defaults.runtimeDirectory)
    var usesSyslog = true
    var logLevel = LogLevel.info

    /// How much it matters that something cannot be done for a container.
    var faultLevel: LogLevel { isRequired ? .error : .warning }
}
