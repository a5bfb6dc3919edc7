import Syscalls

/// The mappings of a process's memory as `/proc/<pid>/maps` lists them (proc_pid_maps(5)).
///
/// The process decides how many there are, and the paths in them. A line that is not of the
/// kernel's form is passed over.
public struct MemoryMaps: Sequence, IteratorProtocol {
    private var lines: Scanner

    public init(_ text: Bytes) { lines = Scanner(text) }

    /// The next mapping: they come in the order of their addresses.
    public mutating func next() -> (start: UInt64, mapping: MemoryMapping)? {
        while let line = lines.line() {
            if let found = Self.mapping(line) { return found }
        }
        return nil
    }

    /// The mapping that has `address`; nil if nothing is mapped there.
    public static func mapping(at address: UInt64, in text: Bytes) -> MemoryMapping? {
        for (start, mapping) in MemoryMaps(text) where address < mapping.end {
            return start <= address ? mapping : nil
        }
        return nil
    }

    /// One line:
    ///
    ///     7ffd2c1f0000-7ffd2c211000 rw-p 00000000 00:00 0   [stack]
    private static func mapping(_ line: Bytes) -> (start: UInt64, mapping: MemoryMapping)? {
        var position = 0
        guard let start = hexadecimal(line, &position, before: UInt8(ascii: "-")),
            let end = hexadecimal(line, &position, before: space), start < end,
            // The second of `rwxp`.
            position + 1 < line.count
        else { return nil }
        let isWritable = line[position + 1] == UInt8(ascii: "w")
        return (start, MemoryMapping(end: end, isWritable: isWritable))
    }

    /// The number at `position`, if `end` follows it; `position` is behind that then.
    private static func hexadecimal(
        _ text: Bytes, _ position: inout Int, before end: UInt8
    ) -> UInt64? {
        let start = position
        var value: UInt64 = 0
        while position < text.count, position - start <= 16 {
            let byte = text[position]
            position += 1
            if byte == end { return position - 1 > start ? value : nil }
            guard position - start <= 16, let digit = digit(byte) else { return nil }
            value = value << 4 | digit
        }
        return nil
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        default: nil
        }
    }
}
