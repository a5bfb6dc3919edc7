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
