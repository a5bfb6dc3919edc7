/// A JSON object with known keys.
///
/// A type names each key once, in `visit`, which serves both directions.
public protocol Fields: FieldValue {
    init()

    /// Shows each known key with its property to `fields`.
    mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault)
}

/// Reads properties from, or writes them to, the keys of a JSON object.
public protocol FieldVisitor {
    mutating func required<Value: FieldValue>(
        _ name: StaticString, _ value: inout Value) throws(JSONFault)
    /// Null is as good as absent.
    mutating func optional<Value: FieldValue>(
        _ name: StaticString, _ value: inout Value?) throws(JSONFault)
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

/// Reads the properties of one object.
public struct FieldReader: FieldVisitor {
    @usableFromInline let members: JSONMembers
    @usableFromInline let keepsUnknown: Bool
    @usableFromInline var taken: [JSONNode] = []

    /// - Throws: if the value is no object.
    public init(_ node: JSONNode) throws(JSONFault) {
        members = try node.members()
        keepsUnknown = node.keepsUnknown
    }

    @inlinable
    public mutating func required<Value: FieldValue>(
        _ name: StaticString, _ value: inout Value
    ) throws(JSONFault) {
        guard let node = members[name] else {
            throw JSONFault("missing").below(key: "\(name)")
        }
        value = try read(node, name)
    }

    @inlinable
    public mutating func optional<Value: FieldValue>(
        _ name: StaticString, _ value: inout Value?
    ) throws(JSONFault) {
        guard let node = members[name], !node.isNull else { return }
        value = try read(node, name) as Value
    }

    @inlinable
    mutating func read<Value: FieldValue>(
        _ node: JSONNode, _ name: StaticString
    ) throws(JSONFault) -> Value {
        if keepsUnknown { taken.append(node) }
        do {
            return try Value(node)
        } catch {
            throw error.below(key: "\(name)")
        }
    }

    /// What has not been read so far.
    public func rest() throws(JSONFault) -> JSONObject {
        var rest: JSONObject = [:]
        for (key, node) in members where !taken.contains(where: { $0.isSame(as: node) }) {
            do {
                rest[key] = try node.value()
            } catch {
                throw error.below(key: key)
            }
        }
        return rest
    }
}

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
