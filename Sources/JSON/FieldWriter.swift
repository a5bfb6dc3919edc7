/// Writes properties into an object.
public struct FieldWriter: FieldVisitor {
    /// What has been written so far.
    public var object: JSONObject

    /// - Parameter object: what is in it besides.
    public init(_ object: JSONObject) { self.object = object }

    @inlinable
    public mutating func required<Value: FieldValue>(
        _ name: StaticString, _ value: inout Value
    ) throws(JSONFault) {
        object["\(name)"] = try value.encode()
    }

    @inlinable
    public mutating func optional<Value: FieldValue>(
        _ name: StaticString, _ value: inout Value?
    ) throws(JSONFault) {
        if let value { object["\(name)"] = try value.encode() }
    }
}
