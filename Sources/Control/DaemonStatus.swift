import JSON

/// The daemon about itself.
public struct DaemonStatus: Fields {
    /// Of this JSON, see ``Schema``. Release 0.1.0 does not say it, and has fewer fields.
    public var schema: Int?
    public var version = ""
    public var pid: Int32 = 0
    /// Seconds since the daemon started.
    public var uptime = 0.0
    public var mountpoint = ""
    /// `v1`, `hybrid` or `v2`.
    public var cgroupVersion = ""
    /// Number of registered containers.
    public var containers = 0
    /// How old the content of a container tree may be, in milliseconds.
    public var coherence = 0
    /// What the present worker has answered: FUSE requests by kind (`getattr`, `read`, ...),
    /// and intercepted system calls (`calls`; `passed` for those left to the kernel).
    public var requests: [String: UInt64] = [:]
    /// The process that answers requests; `pid` is the one that keeps it going.
    public var worker: Int32?
    /// How many such processes there have been, this one included.
    public var workers: UInt64?
    /// How many of them have ended while they served, though nobody had told them to: by a crash, a
    /// signal, or because they hung. Like ``workers``, since the connections were made.
    public var workerDeaths: UInt64?
    /// Upgrades (SIGHUP) that went well.
    public var upgrades: UInt64?
    /// Containers are shown the host (SIGUSR2).
    public var passesThrough: Bool?
    /// Files that are open as snapshots.
    public var openFiles: Int?
    /// How often the present worker has refused to open a file, or to read one from its start,
    /// because the container had too many open.
    public var refusedOpens: UInt64?
    /// Containers whose state could not be written; it is tried again.
    public var unwrittenStates: Int?
    /// Seccomp notify descriptors that are served; nil if the daemon takes none.
    public var listeners: Int?

    public init(
        version: String, pid: Int32, uptime: Double, mountpoint: String,
        cgroupVersion: String, containers: Int, coherence: Int, requests: [String: UInt64],
        listeners: Int?
    ) {
        schema = Schema.current
        self.version = version
        self.pid = pid
        self.uptime = uptime
        self.mountpoint = mountpoint
        self.cgroupVersion = cgroupVersion
        self.containers = containers
        self.coherence = coherence
        self.requests = requests
        self.listeners = listeners
    }

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.optional("schema", &schema)
        try fields.required("version", &version)
        try fields.required("pid", &pid)
        try fields.required("uptime", &uptime)
        try fields.required("mountpoint", &mountpoint)
        try fields.required("cgroupVersion", &cgroupVersion)
        try fields.required("containers", &containers)
        try fields.required("coherence", &coherence)
        try fields.required("requests", &requests)
        try fields.optional("worker", &worker)
        try fields.optional("workers", &workers)
        try fields.optional("workerDeaths", &workerDeaths)
        try fields.optional("upgrades", &upgrades)
        try fields.optional("passesThrough", &passesThrough)
        try fields.optional("openFiles", &openFiles)
        try fields.optional("refusedOpens", &refusedOpens)
        try fields.optional("unwrittenStates", &unwrittenStates)
        try fields.optional("listeners", &listeners)
    }
}
