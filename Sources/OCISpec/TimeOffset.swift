import JSON

/// config-linux.md#offset-for-time-namespace: what a time namespace adds to a clock.
public struct TimeOffset: Record {
    public var secs: Int64?
    /// Added to `secs`, also where that is negative; less than a second.
    public var nanosecs: UInt32?
    public var additional: JSONObject = [:]

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.optional("secs", &secs)
        try fields.optional("nanosecs", &nanosecs)
    }
}
