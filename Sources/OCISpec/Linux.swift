import JSON

/// config-linux.md.
public struct Linux: Record {
    public var namespaces: [Namespace]?
    public var uidMappings: [IDMapping]?
    public var gidMappings: [IDMapping]?
    /// Absolute, or relative to a place of the runtime's choice, or `slice:prefix:name` for
    /// the systemd driver.
    public var cgroupsPath: String?
    public var resources: Resources?
    public var maskedPaths: [String]?
    public var readonlyPaths: [String]?
    public var rootfsPropagation: String?
    public var seccomp: Seccomp?
    /// By clock: `boottime`, `monotonic`.
    public var timeOffsets: [String: TimeOffset]?
    public var additional: JSONObject = [:]

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.optional("namespaces", &namespaces)
        try fields.optional("uidMappings", &uidMappings)
        try fields.optional("gidMappings", &gidMappings)
        try fields.optional("cgroupsPath", &cgroupsPath)
        try fields.optional("resources", &resources)
        try fields.optional("maskedPaths", &maskedPaths)
        try fields.optional("readonlyPaths", &readonlyPaths)
        try fields.optional("rootfsPropagation", &rootfsPropagation)
        try fields.optional("seccomp", &seccomp)
        try fields.optional("timeOffsets", &timeOffsets)
    }
}
