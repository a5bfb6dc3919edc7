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
    }
}

/// config-linux.md#namespaces.
public struct Namespace: Record {
    /// The types that the specification knows.
    public enum Kind: String, Sendable, CaseIterable {
        case pid, network, mount, ipc, uts, user, cgroup, time
    }

    /// A string and not a `Kind`: a type of a later specification is no error here.
    public var type = ""
    /// An existing namespace to join; absent for a new one.
    public var path: String?
    public var additional: JSONObject = [:]

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("type", &type)
        try fields.optional("path", &path)
    }
}

/// config-linux.md#user-namespace-mappings.
public struct IDMapping: Record {
    public var containerID: UInt32 = 0
    public var hostID: UInt32 = 0
    public var size: UInt32 = 0
    public var additional: JSONObject = [:]

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("containerID", &containerID)
        try fields.required("hostID", &hostID)
        try fields.required("size", &size)
    }
}
