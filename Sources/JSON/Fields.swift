/// A JSON object with known keys.
///
/// A type names each key once, in `visit`, which serves both directions.
public protocol Fields: FieldValue {
    init()

    /// Shows each known key with its property to `fields`.
    mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault)
}

extension Fields {
    /// Other keys are ignored.
    @inlinable
    public init(_ node: JSONNode) throws(JSONFault) {
        self.init()
        var reader = try FieldReader(node)
        try visit(&reader)
    }

    /// Keys without a value are left out.
    @inlinable
    public func encode() throws(JSONFault) -> JSONValue {
        var writer = FieldWriter([:])
        var copy = self
        try copy.visit(&writer)
        return .object(writer.object)
    }
}
