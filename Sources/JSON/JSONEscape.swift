/// Strings with escapes.
enum JSONEscape {
    /// The four hexadecimal digits at `start`; nil if they are not.
    static func codeUnit(_ bytes: [UInt8], at start: Int) -> UInt16? {
        guard start + 4 <= bytes.count else { return nil }
        var unit: UInt16 = 0
        for byte in bytes[start..<start + 4] {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// The content of a string entry.
    static func string(_ bytes: [UInt8], _ entry: JSONEntry) -> String {
        let raw = bytes[Int(entry.start)..<Int(entry.end)]
        if entry.kind == .plainString { return String(decoding: raw, as: UTF8.self) }
        var content: [UInt8] = []
        content.reserveCapacity(raw.count)
        var position = raw.startIndex
        while position < raw.endIndex {
            let byte = raw[position]
            position += 1
            guard byte == UInt8(ascii: "\\"), position < raw.endIndex else {
                content.append(byte)
                continue
            }
            let escaped = raw[position]
            position += 1
            switch escaped {
            case UInt8(ascii: "b"): content.append(0x08)
            case UInt8(ascii: "f"): content.append(0x0C)
            case UInt8(ascii: "n"): content.append(0x0A)
            case UInt8(ascii: "r"): content.append(0x0D)
            case UInt8(ascii: "t"): content.append(0x09)
            case UInt8(ascii: "u"):
                var units: [UInt16] = []
                if let unit = codeUnit(bytes, at: position) { units.append(unit) }
                position += 4
                // The scanner has seen to it that the other half follows.
                if let unit = units.first, UTF16.isLeadSurrogate(unit),
                    let trail = codeUnit(bytes, at: position + 2)
                {
                    units.append(trail)
                    position += 6
                }
                content.append(contentsOf: String(decoding: units, as: UTF16.self).utf8)
            default: content.append(escaped)
            }
        }
        return String(decoding: content, as: UTF8.self)
    }
}
