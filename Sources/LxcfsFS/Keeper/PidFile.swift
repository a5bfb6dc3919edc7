import Glibc
import Syscalls

/// A file with the number of the running daemon, locked as long as it runs: a second daemon
/// is refused, and does not touch the first one's file. So is the runtime directory, for a second
/// daemon may be told another pid file.
struct PidFile: ~Copyable {
    let path: String
    private let descriptor: FileDescriptor
    private let directory: FileDescriptor

    /// - Parameter runtimeDirectory: is there.
    /// - Throws: `SystemError`; ``Held`` if another process has one of both.
    init(_ path: String, in runtimeDirectory: String) throws {
        // First: who is refused leaves no file behind.
        let directory = try FileDescriptor.open(runtimeDirectory, O_RDONLY | O_DIRECTORY)
        try Self.lock(directory, runtimeDirectory)
        let descriptor = try FileDescriptor.open(
            path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o644)
        try Self.lock(descriptor, path)
        if ftruncate(descriptor.raw, 0) != 0 {
            throw SystemError("truncate", path, errno: errno)
        }
        try descriptor.write(Array("\(getpid())\n".utf8), path: path)
        self.path = path
        self.descriptor = descriptor
        self.directory = directory
    }

    /// Another daemon runs, and has this file or directory.
    struct Held: Error {
        let path: String
    }

    private static func lock(_ file: borrowing FileDescriptor, _ path: String) throws {
        if flock(file.raw, LOCK_EX | LOCK_NB) == 0 { return }
        guard errno == EWOULDBLOCK else { throw SystemError("lock", path, errno: errno) }
        throw Held(path: path)
    }

    /// The number that is in a file; nil if there is none.
    static func number(in path: String) -> pid_t? {
        guard let text = try? readFile(path, limit: 64) else { return nil }
        return pid_t(String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }

    /// Removes the file; the lock goes with the descriptor.
    consuming func remove() { unlink(path) }
}
