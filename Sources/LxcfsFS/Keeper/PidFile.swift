import Glibc
import Syscalls

/// A file with the number of the running daemon, locked as long as it runs: a second daemon
/// is refused, and does not touch the first one's file.
struct PidFile: ~Copyable {
    let path: String
    private let descriptor: FileDescriptor

    init(_ path: String) throws(SystemError) {
        let descriptor = try FileDescriptor.open(
            path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o644)
        if flock(descriptor.raw, LOCK_EX | LOCK_NB) != 0 {
            throw SystemError(
                errno == EWOULDBLOCK ? "run beside the daemon that holds" : "lock", path,
                errno: errno)
        }
        if ftruncate(descriptor.raw, 0) != 0 {
            throw SystemError("truncate", path, errno: errno)
        }
        try descriptor.write(Array("\(getpid())\n".utf8), path: path)
        self.path = path
        self.descriptor = descriptor
    }
}
