import JSON

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
