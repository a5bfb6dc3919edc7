import JSON

/// Sets a key of a text in TOML to a string, by changing one line. Which line that is, is found by
/// trying: the library that reads the text says whether it has become what was wanted.
enum TOMLKeys {
    /// - Parameters:
    ///   - path: the keys that lead to it.
    ///   - string: nil: the key is to go.
    ///   - wanted: what the text is to say then.
    /// - Returns: nil if no such line was found.
    static func set(
        _ path: [String], to string: String?, in text: [UInt8], giving wanted: JSONValue
    ) -> [UInt8]? {
        guard let key = path.last else { return nil }
        let lines = OwnLines.lines(text)
        let line = string.map { "\(key) = \(TOMLLines.value(.string($0)))" }
        for index in lines.indices {
            let content = trimmed(lines[index])
            var changed = lines
            if content.starts(with: key.utf8) {
                let indent = lines[index].prefix { $0 == 0x20 || $0 == 0x09 }
                changed[index] = line.map { indent + $0.utf8 + end(of: lines[index]) } ?? []
            } else if let line, isHeader(content, of: path) {
                changed[index] += "\(line)\n".utf8
            } else {
                continue
            }
            let result = Array(changed.joined())
            if let value = try? TOMLText.parse(result, path: ""), .object(value) == wanted {
                return result
            }
        }
        return nil
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.drop { $0 == 0x20 || $0 == 0x09 }
    }

    private static func end(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isWindows = line.suffix(2).elementsEqual("\r\n".utf8)
        return line.suffix(isWindows ? 2 : line.last == UInt8(ascii: "\n") ? 1 : 0)
    }

    /// Whether a line may begin the table in which the key is: few do, and each is tried.
    private static func isHeader(_ line: ArraySlice<UInt8>, of path: [String]) -> Bool {
        guard line.first == UInt8(ascii: "["), line.last == UInt8(ascii: "\n"),
            let table = path.dropLast().last
        else { return false }
        return line.prefix { $0 != UInt8(ascii: "]") }.split(separator: UInt8(ascii: "."))
            .last.map { String(decoding: $0, as: UTF8.self).contains(table) } ?? false
    }
}
