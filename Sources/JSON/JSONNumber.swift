/// What has the characters of a number.
struct JSONNumber {
    /// Follows the grammar: no leading zero or plus, digits around the point.
    let isWellFormed: Bool
    /// It may be too large for a Double.
    let mayOverflow: Bool
    private let isInteger: Bool
    private let text: ArraySlice<UInt8>

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        text = bytes[range]
        var rest = text
        if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        var isWellFormed = true
        func digits() -> Int {
            let count = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
                .count
            rest.removeFirst(count)
            return count
        }
        let hasLeadingZero = rest.first == UInt8(ascii: "0")
        let whole = digits()
        if whole == 0 || (hasLeadingZero && whole > 1) { isWellFormed = false }
        isInteger = rest.isEmpty
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            if digits() == 0 { isWellFormed = false }
        }
        var hasExponent = false
        if let first = rest.first, first | 0x20 == UInt8(ascii: "e") {
            hasExponent = true
            rest.removeFirst()
            if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
                rest.removeFirst()
            }
            if digits() == 0 { isWellFormed = false }
        }
        self.isWellFormed = isWellFormed && rest.isEmpty
        mayOverflow = hasExponent || whole > 300
    }

    /// nil if it is malformed, or no Double is as large.
    var value: JSONValue? {
        guard isWellFormed else { return nil }
        let text = String(decoding: text, as: UTF8.self)
        if isInteger {
            if let value = Int64(text) { return .integer(value) }
            if let value = UInt64(text) { return .unsigned(value) }
        }
        guard let value = Double(text), value.isFinite else { return nil }
        return JSONValue(value)
    }
}
