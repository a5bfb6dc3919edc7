/// A value in a ``JSONText``.
public struct JSONNode: Sendable {
    let text: JSONText
    let index: Int

    private var entry: JSONEntry { text.entries[index] }

    /// See ``JSONText/keepsUnknown``.
    public var keepsUnknown: Bool { text.keepsUnknown }

    /// Whether both are the same place of the same text.
    public func isSame(as other: JSONNode) -> Bool {
        index == other.index && text === other.text
    }

    // MARK: - What it is

    /// Whether it is null.
    public var isNull: Bool { entry.kind == .null }

    public func string() throws(JSONFault) -> String {
        switch entry.kind {
        case .plainString, .escapedString: return JSONEscape.string(text.bytes, entry)
        default: throw mismatch("a string")
        }
    }

    public func bool() throws(JSONFault) -> Bool {
        switch entry.kind {
        case .true: return true
        case .false: return false
        default: throw mismatch("a boolean")
        }
    }

    public func integer<Integer: FixedWidthInteger>() throws(JSONFault) -> Integer {
        guard entry.kind == .number else { throw mismatch("an integer") }
        switch number {
        case .integer(let value):
            if let result = Integer(exactly: value) { return result }
            throw JSONFault("\(value) is out of range")
        case .unsigned(let value):
            if let result = Integer(exactly: value) { return result }
            throw JSONFault("\(value) is out of range")
        case .double(let value): throw JSONFault("\(value) is not an integer in range")
        default: throw .malformed
        }
    }

    public func double() throws(JSONFault) -> Double {
        guard entry.kind == .number else { throw mismatch("a number") }
        switch number {
        case .integer(let value): return Double(value)
        case .unsigned(let value): return Double(value)
        case .double(let value): return value
        default: throw .malformed
        }
    }

    /// What `read` makes of each element of an array.
    public func map<Element>(
        _ read: (JSONNode) throws(JSONFault) -> Element
    ) throws(JSONFault) -> [Element] {
        guard entry.kind == .array else { throw mismatch("an array") }
        var elements: [Element] = []
        var index = index + 1
        while index < entry.next {
            do {
                elements.append(try read(JSONNode(text: text, index: index)))
            } catch {
                throw error.isOfKey ? error : error.below(index: elements.count)
            }
            index = Int(text.entries[index].next)
        }
        return elements
    }

    /// The members of an object.
    public func members() throws(JSONFault) -> JSONMembers {
        guard entry.kind == .object else { throw mismatch("an object") }
        return JSONMembers(text: text, start: index + 1, end: Int(entry.next))
    }

    /// What `read` makes of each value of an object.
    public func mapMembers<Value>(
        _ read: (JSONNode) throws(JSONFault) -> Value
    ) throws(JSONFault) -> [String: Value] {
        var values: [String: Value] = [:]
        for (key, node) in try members() {
            do {
                values[key] = try read(node)
            } catch {
                throw error.isOfKey ? error : error.below(key: key)
            }
        }
        return values
    }

    /// The whole of it.
    public func value() throws(JSONFault) -> JSONValue {
        switch entry.kind {
        case .object:
            return .object(
                try mapMembers { (node) throws(JSONFault) in try node.value() }
            )
        case .array:
            return .array(try map { (node) throws(JSONFault) in try node.value() })
        case .plainString, .escapedString:
            return .string(JSONEscape.string(text.bytes, entry))
        case .true: return .bool(true)
        case .false: return .bool(false)
        case .null: return .null
        case .number, .malformed:
            // Half a surrogate pair, or a number beyond any range: it cannot be kept.
            guard let number else { throw .unrepresentable }
            return number
        }
    }

    // MARK: - What it is not

    private var number: JSONValue? {
        guard entry.kind == .number else { return nil }
        return JSONNumber(text.bytes, Int(entry.start)..<Int(entry.end)).value
    }

    private func mismatch(_ expected: String) -> JSONFault {
        let found: String?
        switch entry.kind {
        case .object: found = "an object"
        case .array: found = "an array"
        case .malformed: return .malformed
        default: found = (try? value())?.summary
        }
        return JSONFault("expected \(expected)" + (found.map { ", found \($0)" } ?? ""))
    }
}

/// The members of a JSON object, in the order of the text.
public struct JSONMembers: Sequence, Sendable {
    let text: JSONText
    let start: Int
    let end: Int

    /// The member of this name. Names are ASCII without escapes.
    public subscript(name: StaticString) -> JSONNode? {
        var index = start
        while index < end {
            if isKey(index, name) { return JSONNode(text: text, index: index + 1) }
            index = Int(text.entries[index + 1].next)
        }
        return nil
    }

    private func isKey(_ index: Int, _ name: StaticString) -> Bool {
        let entry = text.entries[index]
        if entry.kind == .escapedString {
            return JSONEscape.string(text.bytes, entry) == "\(name)"
        }
        let count = name.utf8CodeUnitCount
        guard Int(entry.end - entry.start) == count else { return false }
        for offset in 0..<count
        where text.bytes[Int(entry.start) + offset] != name.utf8Start[offset] {
            return false
        }
        return true
    }

    public func makeIterator() -> Iterator { Iterator(members: self, index: start) }

    public struct Iterator: IteratorProtocol {
        let members: JSONMembers
        var index: Int

        public mutating func next() -> (key: String, value: JSONNode)? {
            guard index < members.end else { return nil }
            let text = members.text
            let key = JSONEscape.string(text.bytes, text.entries[index])
            let node = JSONNode(text: text, index: index + 1)
            index = Int(text.entries[index + 1].next)
            return (key, node)
        }
    }
}

extension JSONText {
    /// The object that the text is.
    public var root: JSONNode { JSONNode(text: self, index: 0) }
}
