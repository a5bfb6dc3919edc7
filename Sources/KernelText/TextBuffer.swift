import Glibc

/// Text under construction. Reused from file to file, so that rendering allocates nothing
/// once it has grown to the largest.
public final class TextBuffer {
    @usableFromInline var base: UnsafeMutablePointer<UInt8>
    @usableFromInline var capacity: Int
    @usableFromInline var used = 0
    /// Bytes that have been written.
    @inlinable public var count: Int { used }

    public init(capacity: Int = 8192) {
        self.capacity = max(capacity, 64)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    /// What has been written; valid until the buffer is written to again.
    @inlinable
    public var bytes: Bytes { Bytes(start: base, count: used) }

    /// The text so far, for tests and messages.
    @inlinable
    public var string: String { bytes.string }

    @inlinable
    public func clear() { used = 0 }

    @inlinable @inline(__always)
    func reserve(_ more: Int) {
        if used + more > capacity { grow(more) }
    }

    @usableFromInline func grow(_ more: Int) {
        capacity = max(capacity * 2, used + more)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: base, count: used)
        base.deallocate()
        base = larger
    }

    @inlinable @inline(__always)
    public func append(_ byte: UInt8) {
        reserve(1)
        base[used] = byte
        used += 1
    }

    @inlinable @inline(__always)
    public func append(_ byte: UInt8, times: Int) {
        guard times > 0 else { return }
        reserve(times)
        memset(base + used, CInt(byte), times)
        used += times
    }

    @inlinable @inline(__always)
    public func append(_ literal: StaticString) {
        append(Bytes(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    @inlinable @inline(__always)
    public func append(_ text: Bytes) {
        guard let start = text.baseAddress else { return }
        reserve(text.count)
        (base + used).update(from: start, count: text.count)
        used += text.count
    }

    /// Under another name: a literal would be taken for a String, which costs more.
    @inlinable
    public func append(string text: String) {
        for byte in text.utf8 { append(byte) }
    }

    /// A decimal number, right-aligned in at least `width` columns.
    @inlinable @inline(__always)
    public func append(number: UInt64, width: Int = 0, pad: UInt8 = UInt8(ascii: " ")) {
        reserve(max(width, 20))
        var digits = 1
        var bound: UInt64 = 10
        while number >= bound {
            digits += 1
            if digits == 20 { break }
            bound *= 10
        }
        let padding = width - digits
        if padding > 0 {
            memset(base + used, CInt(pad), padding)
            used += padding
        }
        var rest = number
        var index = used + digits
        repeat {
            index -= 1
            base[index] = UInt8(truncatingIfNeeded: 48 + rest % 10)
            rest /= 10
        } while index > used
        used += digits
    }

    /// Hundredths as `12.34`.
    @inlinable
    public func append(hundredths: UInt64) {
        append(number: hundredths / 100)
        append(UInt8(ascii: "."))
        append(number: hundredths % 100, width: 2, pad: UInt8(ascii: "0"))
    }
}
