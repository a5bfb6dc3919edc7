import Control
import JSON

/// How a daemon is to run.
///
/// The keeper hands this to workers of other versions in ``WorkerSetup``, and so its keys are
/// part of the contract between versions: none of those that are required may go, and what is
/// added must be optional.
public struct DaemonOptions: Fields {
    /// Where the trees are mounted.
    public var mountPoint = ""
    /// Sockets, state files and, unless `pidFile` says otherwise, the pid file.
    public var runtimeDirectory = Defaults.runtimeDirectory
    public var pidFile: String?
    /// How old the content of a container tree may be, in milliseconds; 0 makes every open a
    /// snapshot.
    public var coherence = 10
    /// How many CPUs containers are shown unless they choose themselves.
    public var cpuView = CPUView.quota
    /// False hides all swap.
    public var showSwap = true
    /// Further mount options, as for mount(8) `-o`.
    public var mountOptions: [String] = []
    /// Threads that answer requests, per connection.
    public var threads = 4
    /// Whether to log debug messages.
    public var logsDebugMessages = false
    public var systemCallFilter = SystemCallFilter.Mode.kill
    /// False does without FUSE_NOTIFY_RESEND, as on kernels before Linux 6.9.
    public var usesResend = true

    public init(mountPoint: String) { self.mountPoint = mountPoint }

    /// For reading.
    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("mountPoint", &mountPoint)
        try fields.required("runtimeDirectory", &runtimeDirectory)
        try fields.optional("pidFile", &pidFile)
        try fields.required("coherence", &coherence)
        try fields.required("cpuView", &cpuView)
        try fields.required("showSwap", &showSwap)
        try fields.required("mountOptions", &mountOptions)
        try fields.required("threads", &threads)
        try fields.required("logsDebugMessages", &logsDebugMessages)
        try fields.required("systemCallFilter", &systemCallFilter)
        try fields.required("usesResend", &usesResend)
    }

    package var directory: RuntimeDirectory { RuntimeDirectory(runtimeDirectory) }
    package var pidFilePath: String { pidFile ?? directory.pidFile }
}
