/// What is to become of one value of a text, see ``JSONText/changed(_:)``.
public indirect enum JSONChange: Equatable, Sendable {
    /// Another value takes its place.
    case value(JSONValue)
    /// Members of an object. Those that are not named stay.
    case members([String: JSONChange])
    /// Elements of an array by their index, and what comes behind the last one.
    case elements([Int: JSONChange], appended: [JSONValue])

    /// What it makes where nothing is.
    fileprivate var made: JSONValue {
        switch self {
        case .value(let value): value
        case .members(let members): .object(members.mapValues(\.made))
        case .elements(_, let appended): .array(appended)
        }
    }
}

extension JSONText {
    /// The text with some of its values changed. All other bytes stay as they are, so numbers keep
    /// their digits, keys their order and strings their escapes.
    ///
    /// - Throws: if a value is of another kind than the change is for.
    public func changed(_ change: JSONChange) throws(JSONFault) -> [UInt8] {
        var splices: [Splice] = []
        try collect(change, at: root, &splices)
        splices.sort { $0.start < $1.start }
        var result: [UInt8] = []
        result.reserveCapacity(splices.reduce(bytes.count) { $0 + $1.text.count })
        var position = 0
        for splice in splices {
            result += bytes[position..<splice.start]
            result += splice.text
            position = splice.end
        }
        return result + bytes[position...]
    }

    /// Bytes that come in the place of others, or between two.
    private struct Splice {
        let start, end: Int
        let text: [UInt8]
    }

    private func collect(
        _ change: JSONChange, at node: JSONNode, _ splices: inout [Splice]
    ) throws(JSONFault) {
        let range = node.range
        if case .value(let value) = change {
            splices.append(
                Splice(start: range.lowerBound, end: range.upperBound, text: value.encoded()))
            return
        }
        // Null is as good as absent.
        if node.isNull { return try collect(.value(change.made), at: node, &splices) }
        var added: [[UInt8]] = []
        var last: Int?
        switch change {
        case .value: return
        case .members(let members):
            var missing = members
            for (key, child) in try node.members() {
                last = child.range.upperBound
                guard let change = missing.removeValue(forKey: key) else { continue }
                do {
                    try collect(change, at: child, &splices)
                } catch {
                    throw error.below(key: key)
                }
            }
            for (key, change) in missing.sorted(by: { $0.key < $1.key }) {
                added.append(
                    JSONValue.string(key).encoded() + [UInt8(ascii: ":")]
                        + change.made.encoded())
            }
        case .elements(let changes, let appended):
            let children = try node.map { (child) throws(JSONFault) in child }
            for (index, child) in children.enumerated() {
                last = child.range.upperBound
                guard let change = changes[index] else { continue }
                do {
                    try collect(change, at: child, &splices)
                } catch {
                    throw error.below(index: index)
                }
            }
            added = appended.map { $0.encoded() }
        }
        if added.isEmpty { return }
        let text = Array(added.joined(separator: [UInt8(ascii: ",")]))
        // Behind the opening bracket, or behind the last value.
        let place = last ?? range.lowerBound + 1
        splices.append(
            Splice(
                start: place, end: place, text: last == nil ? text : [UInt8(ascii: ",")] + text)
        )
    }
}

extension JSONNode {
    /// Where the value is in the text.
    fileprivate var range: Range<Int> {
        let entry = text.entries[index]
        let isString: Bool
        switch entry.kind {
        case .plainString, .escapedString: isString = true
        case .malformed: isString = entry.start > 0 && text.bytes[Int(entry.start) - 1] == 0x22
        default: isString = false
        }
        return isString
            ? Int(entry.start) - 1..<Int(entry.end) + 1 : Int(entry.start)..<Int(entry.end)
    }

    /// The value as it is written in the text.
    public var source: [UInt8] { Array(text.bytes[range]) }
}
