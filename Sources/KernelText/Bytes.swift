import Glibc

/// Borrowed text of a kernel file. Valid only as long as the buffer it was read into.
public typealias Bytes = UnsafeBufferPointer<UInt8>

@inlinable package var newline: UInt8 { UInt8(ascii: "\n") }
@inlinable package var space: UInt8 { UInt8(ascii: " ") }

extension UnsafeBufferPointer<UInt8> {
    /// The bytes of a part of this text.
    @inlinable @inline(__always)
    public func part(_ range: Range<Int>) -> Bytes {
        Bytes(rebasing: self[range])
    }

    /// Whether the text is exactly `literal`.
    @inlinable @inline(__always)
    public func equals(_ literal: StaticString) -> Bool {
        count == literal.utf8CodeUnitCount && same(literal.utf8Start, count)
    }

    /// Whether the text is exactly `other`.
    @inlinable @inline(__always)
    public func equals(_ other: Bytes) -> Bool {
        guard count == other.count, let start = other.baseAddress else {
            return count == other.count
        }
        return same(start, count)
    }

    /// Whether the text begins with `literal`.
    @inlinable @inline(__always)
    public func starts(with literal: StaticString) -> Bool {
        let length = literal.utf8CodeUnitCount
        return count >= length && same(literal.utf8Start, length)
    }

    @inlinable @inline(__always)
    func same(_ other: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        guard length > 0, let base = baseAddress else { return length == 0 }
        return memcmp(base, other, length) == 0
    }

    /// The index of the first `byte` at or after `start`; `count` if there is none.
    @inlinable @inline(__always)
    public func firstIndex(of byte: UInt8, from start: Int) -> Int {
        guard start < count, let base = baseAddress else { return count }
        guard let hit = memchr(base + start, CInt(byte), count - start) else { return count }
        return UnsafeRawPointer(hit) - UnsafeRawPointer(base)
    }

    /// The index after the last `byte`, or 0.
    @inlinable
    public func indexAfterLast(_ byte: UInt8) -> Int {
        guard let base = baseAddress, let hit = memrchr(base, CInt(byte), count) else {
            return 0
        }
        return UnsafeRawPointer(hit) - UnsafeRawPointer(base) + 1
    }

    /// The text as a string; invalid UTF-8 is repaired.
    @inlinable
    public var string: String { String(decoding: self, as: UTF8.self) }

    /// The text without white space at its ends.
    @inlinable
    public var trimmed: Bytes {
        var low = 0
        var high = count
        while low < high, self[low] <= space { low += 1 }
        while high > low, self[high - 1] <= space { high -= 1 }
        return part(low..<high)
    }
}
