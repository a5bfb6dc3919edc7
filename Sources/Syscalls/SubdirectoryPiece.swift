import CLinux
import Glibc

/// The directories among the names of one piece of a directory: as many as fit a buffer, so that
/// looking into a directory costs no more than the reader wants, whoever fills it.
public struct SubdirectoryPiece {
    /// A directory in a directory.
    public struct Entry {
        /// As the kernel has it, with a 0 at its end: names of cgroups need not be text.
        public let name: [CChar]
        public let inode: UInt64
        /// From where reading begins with this entry, as long as it is there.
        public let place: Int64
        /// From where reading begins with the next one.
        public let next: Int64
    }

    public private(set) var entries: [Entry] = []
    /// From where reading goes on; nil at the end.
    public private(set) var next: Int64?

    /// Bytes of a piece: some 200 names of usual length, of the longest 28.
    private static let size = 8192

    /// Reads a piece of an open directory (getdents64(2)).
    ///
    /// - Parameters:
    ///   - place: 0 for the start, or what a former piece has told.
    ///   - path: for messages.
    public init(
        of directory: borrowing FileDescriptor, from place: Int64, path: String
    ) throws(SystemError) {
        let raw = directory.raw
        _ = try attempting("seek in", path) { lseek(raw, off_t(place), SEEK_SET) }
        self = try withUnsafeTemporaryAllocation(byteCount: Self.size, alignment: 8) {
            buffer -> Result<SubdirectoryPiece, SystemError> in
            let count = clinux_getdents(raw, buffer.baseAddress, UInt32(buffer.count))
            if count < 0 { return .failure(SystemError("list", path, errno: CInt(-count))) }
            let filled = UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)])
            return .success(SubdirectoryPiece(parsing: filled, from: place))
        }.get()
    }

    /// - Parameter records: `struct linux_dirent64` one after the other: inode, place of the next
    ///   one, length of the record, type, name.
    public init(parsing records: UnsafeRawBufferPointer, from place: Int64) {
        var place = place
        var start = 0
        while start + Self.nameOffset < records.count {
            let inode = records.loadUnaligned(fromByteOffset: start, as: UInt64.self)
            let next = records.loadUnaligned(fromByteOffset: start + 8, as: Int64.self)
            let length = Int(
                records.loadUnaligned(fromByteOffset: start + 16, as: UInt16.self))
            guard length > Self.nameOffset, length <= records.count - start else { return }
            defer {
                start += length
                place = next
                self.next = next
            }
            guard records[start + 18] == UInt8(DT_DIR) else { continue }
            let name = records[start + Self.nameOffset..<start + length].prefix { $0 != 0 }
            if name.isEmpty || name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8) {
                continue
            }
            entries.append(
                Entry(
                    name: name.map(CChar.init(bitPattern:)) + [0], inode: inode, place: place,
                    next: next))
        }
    }

    private static let nameOffset = 19
}

extension FileDescriptor {
    /// openat(2) relative to this directory, of a name as the kernel has told it.
    public func open(at entry: SubdirectoryPiece.Entry, _ flags: CInt) throws(SystemError)
        -> FileDescriptor
    {
        let number = try retrying(
            "open",
            String(
                decoding: entry.name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        ) {
            openat(raw, entry.name, flags | O_CLOEXEC)
        }
        return FileDescriptor(owning: number)
    }
}
