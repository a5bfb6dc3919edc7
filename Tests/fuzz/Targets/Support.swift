import Cgroups
import Glibc
import KernelText
import ProcView

/// Ends the run: a property does not hold.
func require(_ condition: Bool, _ what: @autoclosure () -> String) {
    if !condition { fatalError("property violated: \(what())") }
}

/// Input that is several texts and numbers in one. Texts are copied to memory of exactly their
/// size, so that AddressSanitizer sees what is read beyond.
struct Parts {
    private var rest: Bytes

    init(_ input: Bytes) { rest = input }

    /// Little-endian, zeros after the end.
    mutating func number() -> UInt64 {
        var value: UInt64 = 0
        for (index, byte) in rest.prefix(8).enumerated() {
            value |= UInt64(byte) << UInt64(8 * index)
        }
        skip(8)
        return value
    }

    mutating func byte() -> UInt8 {
        defer { skip(1) }
        return rest.first ?? 0
    }

    /// Memory sizes and times are rarely any of 2^64: the byte before says how long it is.
    mutating func quantity() -> UInt64 {
        let bits = byte() % 65
        let value = number()
        return bits == 64 ? value : value & ((1 << UInt64(bits)) - 1)
    }

    mutating func skip(_ count: Int) { rest = rest.part(min(count, rest.count)..<rest.count) }

    /// The text up to the next NUL, or the end.
    mutating func text<Value>(_ body: (Bytes) throws -> Value) rethrows -> Value {
        let end = rest.firstIndex(of: 0, from: 0)
        let part = rest.part(0..<end)
        skip(end + 1)
        return try withExactCopy(part, body)
    }

    var isEmpty: Bool { rest.isEmpty }
}

func withExactCopy<Value>(
    _ text: Bytes, _ body: (Bytes) throws -> Value
) rethrows -> Value {
    let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: text.count)
    defer { copy.deallocate() }
    if let start = text.baseAddress { copy.update(from: start, count: text.count) }
    return try body(Bytes(start: copy, count: text.count))
}

/// What `body` writes, from `text` as it is in the input.
func rendered(_ text: Bytes, _ body: (Bytes, TextBuffer) -> Void) -> [UInt8] {
    let out = TextBuffer(capacity: 64)
    body(text, out)
    return Array(out.bytes)
}

func lineCount(_ text: some Sequence<UInt8>) -> Int {
    text.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
}

extension MemoryFacts {
    init(_ parts: inout Parts) {
        self.init()
        let present = parts.byte()
        if present & 1 != 0 { limit = parts.quantity() }
        if present & 2 != 0 { obtainable = parts.quantity() }
        usage = parts.quantity()
        if present & 4 != 0 { swapLimit = parts.quantity() }
        if present & 8 != 0 { swapHeadroom = parts.quantity() }
        swapUsage = parts.quantity()
        swapAccounted = present & 16 != 0
        if present & 32 != 0 { hugeLimit = parts.quantity() }
        if present & 64 != 0 { hugeUsage = parts.quantity() }
        if present & 128 != 0 { obtainableWithSwap = parts.quantity() }
    }
}
