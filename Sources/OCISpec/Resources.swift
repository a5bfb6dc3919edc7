import JSON

/// config-linux.md#control-groups.
public struct Resources: Record {
    public var memory: Memory?
    public var cpu: CPU?
    public var pids: Pids?
    public var hugepageLimits: [HugepageLimit]?
    /// Files of cgroup v2 and what to write to them; they win over the fields above.
    public var unified: [String: String]?
    public var additional: JSONObject = [:]

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.optional("memory", &memory)
        try fields.optional("cpu", &cpu)
        try fields.optional("pids", &pids)
        try fields.optional("hugepageLimits", &hugepageLimits)
        try fields.optional("unified", &unified)
    }

    /// config-linux.md#memory. Bytes; -1 is unlimited.
    public struct Memory: Record {
        public var limit: Int64?
        public var reservation: Int64?
        /// Memory and swap together.
        public var swap: Int64?
        public var additional: JSONObject = [:]

        public init() {}

        public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
            try fields.optional("limit", &limit)
            try fields.optional("reservation", &reservation)
            try fields.optional("swap", &swap)
        }
    }

    /// config-linux.md#cpu.
    public struct CPU: Record {
        public var shares: UInt64?
        /// Microseconds per period; -1 is unlimited.
        public var quota: Int64?
        public var period: UInt64?
        /// A list such as `0-3,7`.
        public var cpus: String?
        public var mems: String?
        public var additional: JSONObject = [:]

        public init() {}

        public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
            try fields.optional("shares", &shares)
            try fields.optional("quota", &quota)
            try fields.optional("period", &period)
            try fields.optional("cpus", &cpus)
            try fields.optional("mems", &mems)
        }
    }

    /// config-linux.md#pids.
    public struct Pids: Record {
        /// Optional only in specifications after 1.2; 0 and less are unlimited before.
        public var limit: Int64?
        public var additional: JSONObject = [:]

        public init() {}

        public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
            try fields.optional("limit", &limit)
        }
    }

    /// config-linux.md#huge-page-limits.
    public struct HugepageLimit: Record {
        /// Such as `2MB`.
        public var pageSize = ""
        /// Bytes.
        public var limit: UInt64 = 0
        public var additional: JSONObject = [:]

        public init() {}

        public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
            try fields.required("pageSize", &pageSize)
            try fields.required("limit", &limit)
        }
    }
}
