/// What the value of a known key can be.
public protocol FieldValue: Equatable, Sendable {
    init(_ node: JSONNode) throws(JSONFault)
    func encode() throws(JSONFault) -> JSONValue
}

extension String: FieldValue {
    public init(_ node: JSONNode) throws(JSONFault) { self = try node.string() }
    public func encode() -> JSONValue { .string(self) }
}

extension Bool: FieldValue {
    public init(_ node: JSONNode) throws(JSONFault) { self = try node.bool() }
    public func encode() -> JSONValue { .bool(self) }
}

extension Double: FieldValue {
    public init(_ node: JSONNode) throws(JSONFault) { self = try node.double() }
    public func encode() throws(JSONFault) -> JSONValue {
        guard isFinite else { throw JSONFault("\(self) is no number of JSON") }
        return JSONValue(self)
    }
}

extension FieldValue where Self: FixedWidthInteger {
    @inlinable public init(_ node: JSONNode) throws(JSONFault) { self = try node.integer() }
    @inlinable public func encode() -> JSONValue { JSONValue(self) }
}

extension Int: FieldValue {}
extension Int32: FieldValue {}
extension Int64: FieldValue {}
extension UInt32: FieldValue {}
extension UInt64: FieldValue {}

/// A word of a fixed list.
extension FieldValue where Self: RawRepresentable, RawValue == String {
    public init(_ node: JSONNode) throws(JSONFault) {
        let word = try node.string()
        guard let value = Self(rawValue: word) else {
            throw JSONFault("unknown word \(word.debugDescription)")
        }
        self = value
    }

    public func encode() -> JSONValue { .string(rawValue) }
}

extension Array: FieldValue where Element: FieldValue {
    @inlinable
    public init(_ node: JSONNode) throws(JSONFault) {
        self = try node.map { (element) throws(JSONFault) in try Element(element) }
    }

    @inlinable
    public func encode() throws(JSONFault) -> JSONValue {
        .array(try map { (element) throws(JSONFault) in try element.encode() })
    }
}

extension Dictionary: FieldValue where Key == String, Value: FieldValue {
    @inlinable
    public init(_ node: JSONNode) throws(JSONFault) {
        self = try node.mapMembers { (value) throws(JSONFault) in try Value(value) }
    }

    @inlinable
    public func encode() throws(JSONFault) -> JSONValue {
        var members: JSONObject = [:]
        for (key, value) in self { members[key] = try value.encode() }
        return .object(members)
    }
}
