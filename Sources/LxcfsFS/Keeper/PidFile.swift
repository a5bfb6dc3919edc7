import Glibc
import Syscalls

/// A file with the number of the running daemon, locked as long as it runs: a second daemon
/// is refused, and does not touch the first one's file.
struct PidFile: ~Copyable {
    let path: String
    private let descriptor: FileDescriptor

    /// - Throws: `SystemError`; ``Held`` if another process has the lock.
    init(_ path: String) throws {
        let descriptor = try FileDescriptor.open(
            path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o644)
        if flock(descriptor.raw, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK else { throw SystemError("lock", path, errno: errno) }
            throw Held(path: path, process: Self.number(in: descriptor))
        }
        if ftruncate(descriptor.raw, 0) != 0 {
            throw SystemError("truncate", path, errno: errno)
        }
        try descriptor.write(Array("\(getpid())\n".utf8), path: path)
        self.path = path
        self.descriptor = descriptor
    }

    /// Another daemon runs, and has the file.
    struct Held: Error {
        let path: String
        /// nil if it has not said so yet.
        let process: pid_t?
    }

    private static func number(in file: borrowing FileDescriptor) -> pid_t? {
        guard let text = try? file.readToEnd(limit: 64) else { return nil }
        return pid_t(String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }

    /// Removes the file; the lock goes with the descriptor.
    consuming func remove() { unlink(path) }
}
