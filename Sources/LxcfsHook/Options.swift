import Control

/// What holds for every command.
struct Options: Equatable, Sendable {
    var files: [VirtualFile] = VirtualFile.allCases
    var cpus: CPUView?
    var isRequired = false
    var attachesUnmasked = false
    /// The annotations that count, if the administrator's policy names them.
    var allowedAnnotations: [String]?
    /// What lets a container go without files, if the administrator's policy says so.
    var excuses = Excuse.allCases
    /// The file of that policy; nil: the usual one, if there is one.
    var policyPath: String?
    /// How long a stage, `attach` or `detach` may take, in milliseconds. Below what engines wait for
    /// hooks (10 s in hooks.d), after which they fail the container.
    var timeout = 4000
    /// Whether containers in the host's pid namespace are served.
    var attachesHostPID = false
    /// Whether a running container is frozen while files are mounted in it.
    var freezes = true
    /// What the agent is asked to answer, for `precreate` and `seccomp-profile`. sysinfo(2) is
    /// answered unasked, see ``InterceptedSet/init(_:_:)``.
    var intercepted: InterceptedSet = []
    /// Whether sysinfo(2) is answered only for containers that ask for it.
    var withholdsSysinfo = false
    /// Whether containers get a time namespace at `precreate`.
    var wantsTime = false
    /// Name or path of the runtime that creates containers; nil if the hook is to find out.
    var runtime: String?
    var origin = Origin.daemon(runtimeDirectory: Defaults.runtimeDirectory)
    var usesSyslog = true
    var logLevel = LogLevel.info

    /// How much it matters that something cannot be done for a container.
    var faultLevel: LogLevel { isRequired ? .error : .warning }
}
