/// Walks over text without copying it.
public struct Scanner {
    public let text: Bytes
    @usableFromInline var place = 0
    /// Where the walk is.
    @inlinable public var position: Int { place }

    @inlinable
    public init(_ text: Bytes) { self.text = text }

    @inlinable @inline(__always)
    public var atEnd: Bool { place >= text.count }

    /// The next line without its newline; nil at the end.
    @inlinable @inline(__always)
    public mutating func line() -> Bytes? {
        if atEnd { return nil }
        let end = text.firstIndex(of: newline, from: place)
        defer { place = end + 1 }
        return text.part(place..<end)
    }

    /// The next run of bytes that are neither space nor tab; nil at the end.
    @inlinable @inline(__always)
    public mutating func word() -> Bytes? {
        skipBlanks()
        let start = place
        while place < text.count, text[place] > space { place += 1 }
        return place > start ? text.part(start..<place) : nil
    }

    @inlinable @inline(__always)
    public mutating func skipBlanks() {
        while place < text.count, text[place] <= space { place += 1 }
    }

    /// The next decimal number; nil if something else follows. A number that does not fit
    /// stays at the largest value.
    @inlinable @inline(__always)
    public mutating func number() -> UInt64? {
        skipBlanks()
        let start = place
        var value: UInt64 = 0
        var overflow = false
        while place < text.count, case let digit = text[place] &- 48, digit <= 9 {
            let (product, high) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            overflow = overflow || high || carry
            value = sum
            place += 1
        }
        if place == start { return nil }
        return overflow ? .max : value
    }

    /// Steps over `byte` if it is next.
    @inlinable @inline(__always)
    public mutating func skip(_ byte: UInt8) -> Bool {
        guard place < text.count, text[place] == byte else { return false }
        place += 1
        return true
    }
}

/// The number at the start of `text`; nil if there is none.
@inlinable @inline(__always)
public func parseNumber(_ text: Bytes) -> UInt64? {
    var scanner = Scanner(text)
    return scanner.number()
}
