import Glibc

/// Text under construction. Reused from file to file, so that rendering allocates nothing
/// once it has grown to the largest.
public final class TextBuffer {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    public private(set) var count = 0

    public init(capacity: Int = 8192) {
        self.capacity = max(capacity, 64)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    /// What has been written; valid until the buffer is written to again.
    public var bytes: Bytes { Bytes(start: base, count: count) }

    /// The text so far, for tests and messages.
    public var string: String { bytes.string }

    public func clear() { count = 0 }

    @inline(__always)
    private func reserve(_ more: Int) {
        if count + more > capacity { grow(more) }
    }

    private func grow(_ more: Int) {
        capacity = max(capacity * 2, count + more)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: base, count: count)
        base.deallocate()
        base = larger
    }

    @inline(__always)
    public func append(_ byte: UInt8) {
        reserve(1)
        base[count] = byte
        count += 1
    }

    @inline(__always)
    public func append(_ byte: UInt8, times: Int) {
        guard times > 0 else { return }
        reserve(times)
        memset(base + count, CInt(byte), times)
        count += times
    }

    @inline(__always)
    public func append(_ literal: StaticString) {
        append(Bytes(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    @inline(__always)
    public func append(_ text: Bytes) {
        guard let start = text.baseAddress else { return }
        reserve(text.count)
        (base + count).update(from: start, count: text.count)
        count += text.count
    }

    /// Under another name: a literal would be taken for a String, which costs more.
    public func append(string text: String) {
        for byte in text.utf8 { append(byte) }
    }

    /// A decimal number, right-aligned in at least `width` columns.
    @inline(__always)
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
            memset(base + count, CInt(pad), padding)
            count += padding
        }
        var rest = number
        var index = count + digits
        repeat {
            index -= 1
            base[index] = UInt8(truncatingIfNeeded: 48 + rest % 10)
            rest /= 10
        } while index > count
        count += digits
    }

    /// Hundredths as `12.34`.
    public func append(hundredths: UInt64) {
        append(number: hundredths / 100)
        append(UInt8(ascii: "."))
        append(number: hundredths % 100, width: 2, pad: UInt8(ascii: "0"))
    }
}
