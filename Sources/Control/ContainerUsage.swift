import JSON

/// What one container uses, and what it is shown to have.
///
/// The numbers are those of its own files: whoever reads `/proc/meminfo` in the container at the same
/// moment gets the same. A field that is nil is not known: the kernel does not count it, the
/// container ends just now, or, for ``load``, nobody has looked yet.
public struct ContainerUsage: Fields {
    /// The name of its directory: its id, where that can be a file name and is no other one's.
    public var id = ""
    /// Its id, if that is another one.
    public var name: String?
    /// The process that it was registered with.
    public var pid: Int32 = 0
    /// The first number of its `/proc/uptime`, in seconds.
    public var uptime = 0.0
    /// The CPUs that its files show.
    public var cpus: Int?
    /// How many CPUs' time its CPU quota allows; nil without a quota.
    public var cpuQuota: Double?
    /// CPU time that it has used, in nanoseconds.
    public var cpuTime: UInt64?
    /// When that was read: nanoseconds on the monotonic clock of the daemon's machine.
    public var readAt: UInt64 = 0
    /// MemTotal, in bytes.
    public var memoryTotal: UInt64?
    /// MemAvailable, in bytes.
    public var memoryAvailable: UInt64?
    /// SwapTotal, in bytes.
    public var swapTotal: UInt64?
    /// SwapFree, in bytes.
    public var swapFree: UInt64?
    /// Processes and threads.
    public var tasks: UInt64?
    /// The load averages over 1, 5 and 15 minutes.
    public var load: [Double]?
    /// In per cent, for `cpu`, `memory` and `io`: the part of the last ten seconds in which some of
    /// its tasks waited for that (`some avg10` of the pressure files).
    public var pressure: [String: Double]?

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("id", &id)
        try fields.optional("name", &name)
        try fields.required("pid", &pid)
        try fields.required("uptime", &uptime)
        try fields.optional("cpus", &cpus)
        try fields.optional("cpuQuota", &cpuQuota)
        try fields.optional("cpuTime", &cpuTime)
        try fields.required("readAt", &readAt)
        try fields.optional("memoryTotal", &memoryTotal)
        try fields.optional("memoryAvailable", &memoryAvailable)
        try fields.optional("swapTotal", &swapTotal)
        try fields.optional("swapFree", &swapFree)
        try fields.optional("tasks", &tasks)
        try fields.optional("load", &load)
        try fields.optional("pressure", &pressure)
    }
}
