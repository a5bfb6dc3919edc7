import JSON

/// Writes tables as lines of TOML (toml.io).
enum TOMLLines {
    /// A header and its keys, then the tables below it.
    ///
    /// - Parameter path: the keys that lead to the table.
    static func table(_ path: [String], _ members: JSONObject) -> String {
        var text = "[\(header(path))]\n"
        let sorted = members.sorted { $0.key < $1.key }
        for (key, value) in sorted {
            if case .object = value { continue }
            text += "\(self.key(key)) = \(self.value(value))\n"
        }
        for (key, value) in sorted {
            guard case .object(let below) = value else { continue }
            text += table(path + [key], below)
        }
        return text
    }

    static func header(_ path: [String]) -> String { path.map(key).joined(separator: ".") }

    static func key(_ key: String) -> String {
        let isBare =
            !key.isEmpty
            && key.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
        return isBare ? key : string(key)
    }

    static func value(_ value: JSONValue) -> String {
        switch value {
        case .null: "\"\""
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): "\(value)"
        case .unsigned(let value): "\(value)"
        case .double(let value): "\(value)"
        case .string(let value): string(value)
        case .array(let values): "[" + values.map(self.value).joined(separator: ", ") + "]"
        case .object(let members):
            "{ "
                + members.sorted { $0.key < $1.key }
                .map { "\(key($0.key)) = \(self.value($0.value))" }.joined(separator: ", ")
                + " }"
        }
    }

    private static func string(_ text: String) -> String {
        // What JSON escapes, TOML escapes in the same way; of DEL it wants that, too.
        String(decoding: JSONValue.string(text).encoded(), as: UTF8.self)
            .split(separator: "\u{7F}", omittingEmptySubsequences: false)
            .joined(separator: "\\u007F")
    }
}
