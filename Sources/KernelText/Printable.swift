/// A text without line breaks and other control characters, which would forge a line of a log or
/// steer a terminal: names of containers may have any.
public func printable(_ text: String) -> String {
    if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return text }
    var line = ""
    for scalar in text.unicodeScalars {
        let isControl =
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: true
            default: false
            }
        line.unicodeScalars.append(isControl ? "?" : scalar)
    }
    return line
}
