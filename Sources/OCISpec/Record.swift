import JSON

/// A JSON object of which some keys are known. The others are kept, so that a document
/// that is decoded and encoded again loses nothing.
public protocol Record: Fields {
    /// The keys that `visit` does not name, and those that it names whose value is null:
    /// null and absent mean the same to a reader, but must not turn into each other.
    /// Empty in a document that was read without them.
    var additional: JSONObject { get set }
}

extension Record {
    public init(_ node: JSONNode) throws(JSONFault) {
        self.init()
        var reader = try FieldReader(node)
        try visit(&reader)
        if node.keepsUnknown { additional = try reader.rest() }
    }

    public func encode() throws(JSONFault) -> JSONValue {
        var writer = FieldWriter(additional)
        var copy = self
        try copy.visit(&writer)
        return .object(writer.object)
    }
}
