import JSON

/// How many CPUs a container is shown.
public enum CPUView: String, FieldValue {
    /// min(CPUs of the cpuset, ceil(quota / period)).
    case quota
    /// The CPUs of the cpuset, whatever the quota.
    case cpuset
}

/// What a client asks of the daemon: one line of JSON per connection.
public struct Request: Fields {
    public enum Operation: String, FieldValue {
        /// Serve a container tree for the container `id` of process `pid`.
        case register
        /// Stop serving `id`. Succeeds if it is not served.
        case unregister
        /// Which containers are served.
        case list
        /// What the daemon is and does.
        case status
    }

    public var op = Operation.status
    /// The container id; the name of its directory below the mountpoint.
    public var id: String?
    /// A process of the container, its init if there is a choice, in the pid namespace of
    /// the daemon.
    public var pid: Int32?
    /// Overrides the daemon's own choice for this container.
    public var cpus: CPUView?

    public init(_ op: Operation, id: String? = nil, pid: Int32? = nil, cpus: CPUView? = nil) {
        self.op = op
        self.id = id
        self.pid = pid
        self.cpus = cpus
    }

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("op", &op)
        try fields.optional("id", &id)
        try fields.optional("pid", &pid)
        try fields.optional("cpus", &cpus)
    }
}

/// The daemon's answer: one line of JSON.
public struct Reply: Fields {
    /// Why the request was refused; nil means success.
    public var error: String?
    /// `register`: the directory of the container tree, `<mountpoint>/<id>`.
    public var path: String?
    /// `list`.
    public var containers: [ContainerSummary]?
    /// `status`.
    public var status: DaemonStatus?

    public init() {}

    public init(
        error: String? = nil, path: String? = nil, containers: [ContainerSummary]? = nil,
        status: DaemonStatus? = nil
    ) {
        self.error = error
        self.path = path
        self.containers = containers
        self.status = status
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.optional("error", &error)
        try fields.optional("path", &path)
        try fields.optional("containers", &containers)
        try fields.optional("status", &status)
    }
}

/// One served container.
public struct ContainerSummary: Fields {
    public var id = ""
    /// The process that it was registered with.
    public var pid: Int32 = 0
    /// Seconds since the container's first process started.
    public var uptime = 0.0
    /// The cgroup path of its memory controller.
    public var cgroup = ""
    /// The CPUs that its files show.
    public var cpus: Int?
    /// MemTotal as its files show it, in bytes.
    public var memoryTotal: UInt64?
    /// Whether the process `pid` is still the one that was registered.
    public var isRunning: Bool?

    public init(
        id: String, pid: Int32, uptime: Double, cgroup: String, cpus: Int?,
        memoryTotal: UInt64?, isRunning: Bool? = nil
    ) {
        self.isRunning = isRunning
        self.id = id
        self.pid = pid
        self.uptime = uptime
        self.cgroup = cgroup
        self.cpus = cpus
        self.memoryTotal = memoryTotal
    }

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("id", &id)
        try fields.required("pid", &pid)
        try fields.required("uptime", &uptime)
        try fields.required("cgroup", &cgroup)
        try fields.optional("cpus", &cpus)
        try fields.optional("memoryTotal", &memoryTotal)
        try fields.optional("isRunning", &isRunning)
    }
}

/// The daemon about itself.
public struct DaemonStatus: Fields {
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
    /// Containers are shown the host (SIGUSR2).
    public var passesThrough: Bool?
    /// Files that are open as snapshots.
    public var openFiles: Int?
    /// Seccomp notify descriptors that are served; nil if the daemon takes none.
    public var listeners: Int?

    public init(
        version: String, pid: Int32, uptime: Double, mountpoint: String,
        cgroupVersion: String, containers: Int, coherence: Int, requests: [String: UInt64],
        listeners: Int?
    ) {
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
        try fields.optional("passesThrough", &passesThrough)
        try fields.optional("openFiles", &openFiles)
        try fields.optional("listeners", &listeners)
    }
}
