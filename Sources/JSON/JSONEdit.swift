/// A JSON text in which members are set and removed. All else stays as it is, byte for byte: order,
/// indentation, line ends.
public struct JSONEdit {
    /// The text.
    public private(set) var bytes: [UInt8]

    /// - Parameter bytes: an object, in UTF-8.
    public init(_ bytes: [UInt8]) throws(JSONFault) {
        _ = try JSONText(bytes)
        self.bytes = bytes
    }

    /// What the text says.
    public func value() throws(JSONFault) -> JSONValue { try JSONText(bytes).root.value() }

    /// Sets a member. Objects on the way to it that are missing are made.
    ///
    /// - Parameter path: the keys that lead to it; not empty.
    /// - Throws: if what is on the way is no object.
    public mutating func set(_ path: [String], to value: JSONValue) throws(JSONFault) {
        let text = try JSONText(bytes)
        var object = 0
        for (depth, key) in path.enumerated() {
            try Self.checkIsObject(text, object, path.prefix(depth))
            let isLast = depth == path.count - 1
            guard let member = Self.member(key, of: object, in: text) else {
                let rest = path[(depth + 1)...].reversed().reduce(value) { .object([$1: $0]) }
                return insert(key, rest, into: object, of: text)
            }
            if isLast {
                let place = Self.range(text.entries[member + 1])
                let line = lineIndent(at: place.lowerBound)
                bytes.replaceSubrange(place, with: encoded(value, indent: line, text))
            }
            object = member + 1
        }
    }

    /// Removes a member, if there is one.
    public mutating func remove(_ path: [String]) throws(JSONFault) {
        let text = try JSONText(bytes)
        var object = 0
        for key in path.dropLast() {
            guard text.entries[object].kind == .object,
                let member = Self.member(key, of: object, in: text)
            else { return }
            object = member + 1
        }
        guard let key = path.last, text.entries[object].kind == .object,
            let member = Self.member(key, of: object, in: text)
        else { return }
        let members = Self.members(of: object, in: text)
        let value = Self.range(text.entries[member + 1])
        guard let position = members.firstIndex(of: member) else { return }
        if position > 0 {
            let before = Self.range(text.entries[members[position - 1] + 1])
            bytes.removeSubrange(before.upperBound..<value.upperBound)
        } else if members.count > 1 {
            let next = Self.range(text.entries[members[1]])
            bytes.removeSubrange(Self.range(text.entries[member]).lowerBound..<next.lowerBound)
        } else {
            bytes.replaceSubrange(Self.range(text.entries[object]), with: "{}".utf8)
        }
    }

    // MARK: - Where things are

    private static func checkIsObject(
        _ text: JSONText, _ index: Int, _ path: ArraySlice<String>
    ) throws(JSONFault) {
        if text.entries[index].kind == .object { return }
        throw path.reversed().reduce(JSONFault("expected an object")) { $0.below(key: $1) }
    }

    /// The indices of the keys of an object.
    private static func members(of object: Int, in text: JSONText) -> [Int] {
        var members: [Int] = []
        var index = object + 1
        while index < text.entries[object].next {
            members.append(index)
            index = Int(text.entries[index + 1].next)
        }
        return members
    }

    private static func member(_ key: String, of object: Int, in text: JSONText) -> Int? {
        members(of: object, in: text).first {
            JSONEscape.string(text.bytes, text.entries[$0]) == key
        }
    }

    /// The bytes of a value, of strings with their quotes.
    private static func range(_ entry: JSONEntry) -> Range<Int> {
        let (start, end) = (Int(entry.start), Int(entry.end))
        switch entry.kind {
        case .plainString, .escapedString: return start - 1..<end + 1
        case .malformed: return start..<end
        default: return start..<end
        }
    }

    // MARK: - Layout

    private mutating func insert(
        _ key: String, _ value: JSONValue, into object: Int, of text: JSONText
    ) {
        let members = Self.members(of: object, in: text)
        let place = Self.range(text.entries[object])
        let name = JSONValue.string(key).encoded()
        guard let last = members.last, let first = members.first else {
            let outer = lineIndent(at: place.lowerBound)
            let inner = outer + unit(text)
            bytes.replaceSubrange(
                place,
                with: Array("{".utf8) + lineEnd + inner + name + ": ".utf8
                    + encoded(value, indent: inner, text) + lineEnd + outer + "}".utf8)
            return
        }
        let end = Self.range(text.entries[last + 1]).upperBound
        let start = Self.range(text.entries[first]).lowerBound
        guard bytes[place.lowerBound..<start].contains(UInt8(ascii: "\n")) else {
            bytes.insert(
                contentsOf: Array(", ".utf8) + name + ": ".utf8 + value.encoded(), at: end)
            return
        }
        let indent = lineIndent(at: start)
        bytes.insert(
            contentsOf: Array(",".utf8) + lineEnd + indent + name + ": ".utf8
                + encoded(value, indent: indent, text), at: end)
    }

    private var lineEnd: [UInt8] {
        let end = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? 0
        return end > 0 && bytes[end - 1] == UInt8(ascii: "\r")
            ? Array("\r\n".utf8) : Array("\n".utf8)
    }

    /// The space with which the line of a place begins.
    private func lineIndent(at place: Int) -> [UInt8] {
        let before = bytes[..<place].lastIndex(of: UInt8(ascii: "\n"))
        let start = before.map { $0 + 1 } ?? 0
        return Array(bytes[start..<place].prefix { $0 == 0x20 || $0 == 0x09 })
    }

    /// By how much each level is indented: as the first member of the text is.
    private func unit(_ text: JSONText) -> [UInt8] {
        guard let first = Self.members(of: 0, in: text).first else {
            return Array("    ".utf8)
        }
        let indent = lineIndent(at: Self.range(text.entries[first]).lowerBound)
        return indent.isEmpty ? Array("    ".utf8) : indent
    }

    private func encoded(_ value: JSONValue, indent: [UInt8], _ text: JSONText) -> [UInt8] {
        let unit = unit(text)
        // A string has no line break that is not escaped.
        let lines = value.encoded(pretty: true).split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var result: [UInt8] = []
        for (number, line) in lines.enumerated() {
            if number > 0 { result += lineEnd + indent }
            let spaces = number == 0 ? 0 : line.prefix { $0 == 0x20 }.count
            for _ in 0..<spaces / 2 { result += unit }
            result += line.dropFirst(spaces)
        }
        return result
    }
}
