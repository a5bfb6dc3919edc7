/// Reads properties from, or writes them to, the keys of a JSON object.
public protocol FieldVisitor {
    mutating func required<Value: FieldValue>(
        _ name: StaticString, _ value: inout Value) throws(JSONFault)
    /// Null is as good as absent.
    mutating func optional<Value: FieldValue>(
        _ name: StaticString, _ value: inout Value?) throws(JSONFault)
}
