import Glibc
import KernelText
import LxcfsHandover
import Syscalls

/// Who may write into the memory of a caller: all threads of the agent but one.
///
/// A container decides what is behind an address. If it is a page that somebody has to deliver
/// first (userfaultfd(2), a file of a FUSE of its own), writing waits as long as that takes.
/// So one thread always stays out, and makes another one when all others are stuck.
final class AgentPermits: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>

    /// Nanoseconds after which those who hold a permit are taken to be stuck.
    private static let patience: Int = 100_000_000

    init(_ count: Int) {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, CUnsignedInt(clamping: count))
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    /// - Returns: false if there is none for too long.
    func take() -> Bool {
        if sem_trywait(semaphore) == 0 { return true }
        var end = timespec()
        // The clock of sem_timedwait(3); if it is set meanwhile, this takes longer or shorter.
        clock_gettime(CLOCK_REALTIME, &end)
        end.tv_nsec += Self.patience
        if end.tv_nsec >= 1_000_000_000 {
            end.tv_nsec -= 1_000_000_000
            end.tv_sec += 1
        }
        while sem_timedwait(semaphore, &end) != 0 {
            if errno != EINTR { return false }
        }
        return true
    }

    /// Gives one back, or adds one for a new thread.
    func give() { sem_post(semaphore) }
}
