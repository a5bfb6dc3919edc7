import Glibc

/// Borrowed text of a kernel file. Valid only as long as the buffer it was read into.
public typealias Bytes = UnsafeBufferPointer<UInt8>

package let newline = UInt8(ascii: "\n")
package let space = UInt8(ascii: " ")

extension UnsafeBufferPointer<UInt8> {
    /// The bytes of a part of this text.
    @inline(__always)
    public func part(_ range: Range<Int>) -> Bytes {
        Bytes(rebasing: self[range])
    }

    /// Whether the text is exactly `literal`.
    @inline(__always)
    public func equals(_ literal: StaticString) -> Bool {
        count == literal.utf8CodeUnitCount && same(literal.utf8Start, count)
    }

    /// Whether the text is exactly `other`.
    @inline(__always)
    public func equals(_ other: Bytes) -> Bool {
        guard count == other.count, let start = other.baseAddress else {
            return count == other.count
        }
        return same(start, count)
    }

    /// Whether the text begins with `literal`.
    @inline(__always)
    public func starts(with literal: StaticString) -> Bool {
        let length = literal.utf8CodeUnitCount
        return count >= length && same(literal.utf8Start, length)
    }

    @inline(__always)
    private func same(_ other: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        guard length > 0, let base = baseAddress else { return length == 0 }
        return memcmp(base, other, length) == 0
    }

    /// The index of the first `byte` at or after `start`; `count` if there is none.
    @inline(__always)
    public func firstIndex(of byte: UInt8, from start: Int) -> Int {
        guard start < count, let base = baseAddress else { return count }
        guard let hit = memchr(base + start, CInt(byte), count - start) else { return count }
        return UnsafeRawPointer(hit) - UnsafeRawPointer(base)
    }

    /// The index after the last `byte`, or 0.
    public func indexAfterLast(_ byte: UInt8) -> Int {
        guard let base = baseAddress, let hit = memrchr(base, CInt(byte), count) else {
            return 0
        }
        return UnsafeRawPointer(hit) - UnsafeRawPointer(base) + 1
    }

    /// The text as a string; invalid UTF-8 is repaired.
    public var string: String { String(decoding: self, as: UTF8.self) }

    /// The text without white space at its ends.
    public var trimmed: Bytes {
        var low = 0
        var high = count
        while low < high, self[low] <= space { low += 1 }
        while high > low, self[high - 1] <= space { high -= 1 }
        return part(low..<high)
    }
}

/// Walks over text without copying it.
public struct Scanner {
    public let text: Bytes
    public private(set) var position = 0

    public init(_ text: Bytes) { self.text = text }

    @inline(__always)
    public var atEnd: Bool { position >= text.count }

    /// The next line without its newline; nil at the end.
    @inline(__always)
    public mutating func line() -> Bytes? {
        if atEnd { return nil }
        let end = text.firstIndex(of: newline, from: position)
        defer { position = end + 1 }
        return text.part(position..<end)
    }

    /// The next run of bytes that are neither space nor tab; nil at the end.
    @inline(__always)
    public mutating func word() -> Bytes? {
        skipBlanks()
        let start = position
        while position < text.count, text[position] > space { position += 1 }
        return position > start ? text.part(start..<position) : nil
    }

    @inline(__always)
    public mutating func skipBlanks() {
        while position < text.count, text[position] <= space { position += 1 }
    }

    /// The next decimal number; nil if something else follows. A number that does not fit
    /// stays at the largest value.
    @inline(__always)
    public mutating func number() -> UInt64? {
        skipBlanks()
        let start = position
        var value: UInt64 = 0
        var overflow = false
        while position < text.count, case let digit = text[position] &- 48, digit <= 9 {
            let (product, high) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            overflow = overflow || high || carry
            value = sum
            position += 1
        }
        if position == start { return nil }
        return overflow ? .max : value
    }

    /// Steps over `byte` if it is next.
    @inline(__always)
    public mutating func skip(_ byte: UInt8) -> Bool {
        guard position < text.count, text[position] == byte else { return false }
        position += 1
        return true
    }
}

/// The number at the start of `text`; nil if there is none.
@inline(__always)
public func parseNumber(_ text: Bytes) -> UInt64? {
    var scanner = Scanner(text)
    return scanner.number()
}

/// Subtraction that stops at zero: a limit may be below the usage.
@inline(__always)
public func clampedDifference(_ a: UInt64, _ b: UInt64) -> UInt64 {
    a > b ? a - b : 0
}

/// Addition that stops at the largest value.
@inline(__always)
public func clampedSum(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
}
