import JSON

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
