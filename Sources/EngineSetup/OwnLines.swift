/// The lines that `install` adds to a file that is not its own, between two comments.
enum OwnLines {
    private static let begin = "# lxcfs-hook install: begin; lxcfs-hook uninstall removes this"
    private static let end = "# lxcfs-hook install: end"

    /// The first line of a file that is all ours.
    static let mark = "# written by lxcfs-hook install"

    static func isOwnFile(_ bytes: [UInt8]) -> Bool { bytes.starts(with: mark.utf8) }

    /// The text with these lines at its end.
    static func appended(_ lines: String, to text: [UInt8]) -> [UInt8] {
        let needsEnd = !text.isEmpty && text.last != UInt8(ascii: "\n")
        return text + (needsEnd ? [UInt8(ascii: "\n")] : [])
            + "\n\(begin)\n\(lines)\(end)\n".utf8
    }

    /// The text without them, and without the empty line before them.
    static func removed(from text: [UInt8]) -> [UInt8] {
        var lines = self.lines(text)
        guard let first = lines.firstIndex(where: { isLine($0, begin) }),
            let last = lines[first...].firstIndex(where: { isLine($0, end) })
        else { return text }
        let hasGap = first > 0 && isLine(lines[first - 1], "")
        lines.removeSubrange((hasGap ? first - 1 : first)...last)
        return Array(lines.joined())
    }

    /// Lines with their ends.
    static func lines(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var rest = text[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(rest[...end])
            rest = rest[(end + 1)...]
        }
        return rest.isEmpty ? lines : lines + [rest]
    }

    private static func isLine(_ line: ArraySlice<UInt8>, _ text: String) -> Bool {
        let end = line.last { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard end != nil || text.isEmpty else { return false }
        return Array(line.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") })
            == Array(text.utf8)
    }
}
