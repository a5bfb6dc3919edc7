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
