import Glibc
import Syscalls

/// Recognises `lxcfs-runtime` in a file: this very program by its inode, copies of it, also of other
/// versions, by an ELF note (elf(5)), see mark.c.
enum RuntimeMark {
    static let name = Array("lxcfs-runtime\0".utf8)

    /// Whether executing the file would only lead back to this program.
    static func isOurs(_ path: String) -> Bool {
        var (own, other) = (stat(), stat())
        if stat("/proc/self/exe", &own) == 0, stat(path, &other) == 0,
            own.st_dev == other.st_dev, own.st_ino == other.st_ino
        {
            return true
        }
        guard let file = try? FileDescriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY) else {
            return false
        }
        return isMarked { offset, count in
            var buffer = [UInt8](repeating: 0, count: count)
            let got = pread(file.raw, &buffer, count, off_t(clamping: offset))
            return got > 0 ? Array(buffer.prefix(got)) : []
        }
    }

    /// - Parameter read: bytes of the file from an offset on, at most as many as it is told.
    static func isMarked(_ read: (_ offset: UInt64, _ count: Int) -> [UInt8]) -> Bool {
        let head = ELFBytes(read(0, 64))
        // 64 bits, little-endian: what this program is built for.
        guard head.bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]),
            let table = head.word64(32), let size = head.word16(54), size == 56,
            let count = head.word16(56), count <= 64
        else { return false }
        let segments = ELFBytes(read(table, Int(size) * Int(count)))
        for index in 0..<Int(count) {
            let start = index * Int(size)
            let isNote = segments.word32(start) == 4
            guard isNote, let offset = segments.word64(start + 8),
                let length = segments.word64(start + 32)
            else { continue }
            if hasNote(ELFBytes(read(offset, Int(min(length, 4096))))) { return true }
        }
        return false
    }

    private static func hasNote(_ notes: ELFBytes) -> Bool {
        var position = 0
        while let nameSize = notes.word32(position),
            let contentSize = notes.word32(position + 4)
        {
            let start = position + 12
            let end = start + Int(nameSize)
            guard end <= notes.bytes.count else { return false }
            if Array(notes.bytes[start..<end]) == name { return true }
            position = start + (Int(nameSize) + 3) / 4 * 4 + (Int(contentSize) + 3) / 4 * 4
        }
        return false
    }
}

/// Numbers in a piece of an ELF file; nil beyond its end.
private struct ELFBytes {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func word16(_ offset: Int) -> UInt16? { number(offset) }
    func word32(_ offset: Int) -> UInt32? { number(offset) }
    func word64(_ offset: Int) -> UInt64? { number(offset) }

    private func number<Number: FixedWidthInteger>(_ offset: Int) -> Number? {
        let size = MemoryLayout<Number>.size
        guard offset >= 0, offset <= bytes.count - size else { return nil }
        return bytes[offset..<offset + size].reversed().reduce(0) { $0 << 8 | Number($1) }
    }
}
