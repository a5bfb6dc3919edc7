extension JSONValue {
    /// The value as text, keys sorted.
    ///
    /// - Parameter pretty: in lines, for people to read; else compact.
    public func encoded(pretty: Bool = false) -> [UInt8] {
        var writer = JSONWriter(isPretty: pretty)
        writer.write(self, depth: 0)
        return writer.text
    }
}

private struct JSONWriter {
    let isPretty: Bool
    var text: [UInt8] = []

    init(isPretty: Bool) {
        self.isPretty = isPretty
        text.reserveCapacity(256)
    }

    mutating func write(_ value: JSONValue, depth: Int) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .integer(let value): append("\(value)")
        case .unsigned(let value): append("\(value)")
        case .double(let value): append("\(value)")
        case .string(let value): string(value)
        case .array(let elements):
            list("[", "]", elements, depth: depth) { writer, element in
                writer.write(element, depth: depth + 1)
            }
        case .object(let members):
            let sorted = members.sorted { $0.key < $1.key }
            list("{", "}", sorted, depth: depth) { writer, member in
                writer.string(member.key)
                writer.append(writer.isPretty ? ": " : ":")
                writer.write(member.value, depth: depth + 1)
            }
        }
    }

    private mutating func list<Item>(
        _ open: String, _ close: String, _ items: [Item], depth: Int,
        _ write: (inout JSONWriter, Item) -> Void
    ) {
        append(open)
        for (index, item) in items.enumerated() {
            if index > 0 { append(",") }
            startLine(depth + 1)
            write(&self, item)
        }
        if !items.isEmpty { startLine(depth) }
        append(close)
    }

    private mutating func startLine(_ depth: Int) {
        guard isPretty else { return }
        text.append(UInt8(ascii: "\n"))
        for _ in 0..<depth { append("  ") }
    }

    private mutating func append(_ word: String) { text.append(contentsOf: word.utf8) }

    private mutating func string(_ value: String) {
        text.append(UInt8(ascii: "\""))
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\n"): append("\\n")
            case UInt8(ascii: "\r"): append("\\r")
            case UInt8(ascii: "\t"): append("\\t")
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                append("\\u00")
                text.append(digits[Int(byte >> 4)])
                text.append(digits[Int(byte & 15)])
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }
}
