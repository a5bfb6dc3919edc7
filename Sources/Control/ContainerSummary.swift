import JSON

/// One served container.
public struct ContainerSummary: Fields {
    /// The name of its directory: its id, where that can be a file name and is no other one's.
    public var id = ""
    /// Its id, if that is another one.
    public var name: String?
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
        memoryTotal: UInt64?, isRunning: Bool? = nil, name: String? = nil
    ) {
        self.name = name
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
        try fields.optional("name", &name)
    }
}
