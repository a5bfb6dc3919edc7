import Control

/// What holds for every command.
public struct Options: Equatable, Sendable {
    public var files: [VirtualFile] = VirtualFile.allCases
    public var cpus: CPUView?
    public var isRequired = false
    public var attachesUnmasked = false
    /// Whether a running container is frozen while files are mounted in it.
    public var freezes = true
    /// For `precreate` and `seccomp-profile`.
    var intercepted: InterceptedSet = []
    public var origin = Origin.daemon(runtimeDirectory: Defaults.runtimeDirectory)
    public var usesSyslog = true
    public var logLevel = LogLevel.info

    public init() {}

    /// How much it matters that something cannot be done.
    var faultLevel: LogLevel { isRequired ? .error : .warning }
}
