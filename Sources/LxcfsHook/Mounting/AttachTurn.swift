import Glibc
import Syscalls

/// The right to mount files in running containers, which one process has at a time.
///
/// Of two that freeze the same container, the first one would thaw it while the other one mounts,
/// and each would find its mounts under those of the other one.
struct AttachTurn {
    /// Locked by flock(2) as long as it is open. Only root can open it, and so nobody else keeps the
    /// lock.
    private let directory: HeldDescriptor?

    /// Longer than a container stays frozen, in nanoseconds.
    private static let longest = (UInt64(Freezer.longest) + 2000) * 1_000_000

    /// Waits for it.
    ///
    /// - Parameter patience: nanoseconds.
    /// - Throws: a refusal if another process has it for too long.
    init(_ origin: Origin, patience: UInt64 = Self.longest) throws(AttachError) {
        guard case .daemon(let runtimeDirectory) = origin else {
            directory = nil
            return
        }
        do {
            directory = HeldDescriptor(
                try Self.lock(runtimeDirectory + "/containers", patience))
        } catch {
            throw AttachError(error)
        }
    }

    private static func lock(_ path: String, _ patience: UInt64) throws -> FileDescriptor {
        let end = Clock.monotonic() + patience
        let directory = try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY)
        while flock(directory.raw, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                throw SystemError("lock", path, errno: errno)
            }
            guard Clock.monotonic() < end else {
                throw AttachError.refused(
                    """
                    another lxcfs-hook has been mounting files for more than \
                    \(patience / 1_000_000_000) s; try again, or end it
                    """)
            }
            usleep(2000)
        }
        return directory
    }

    /// Calls `body` while no other process mounts, and then gives the turn back.
    func hold<Value>(
        _ body: () throws(AttachError) -> Value
    ) throws(AttachError) -> Value {
        defer { if let directory { flock(directory.descriptor.raw, LOCK_UN) } }
        return try body()
    }
}
