/// Text from outside for a terminal: what a container or its runtime has called something.
public enum PlainText {
    /// The text with everything escaped that is no printable character of one column: controls,
    /// which a terminal would obey, what changes the direction of writing, what is two columns wide
    /// or none.
    ///
    /// - Returns: ASCII and the Latin letters of Unicode's first blocks as they are, the rest as
    ///   `\u{1b}`, a backslash as `\\`.
    public static func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x5c: result += "\\\\"
            case 0x20...0x7e, 0xa1...0xac, 0xae...0x24f: result.unicodeScalars.append(scalar)
            default: result += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return result
    }

    /// At most `width` columns of a text that ``escape(_:)`` has returned; what has been cut ends in
    /// `+`.
    public static func cut(_ text: String, to width: Int) -> String {
        if text.count <= width { return text }
        return width < 1 ? "" : text.prefix(width - 1) + "+"
    }
}
