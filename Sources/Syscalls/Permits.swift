import Glibc

/// A number of permits for something that only so many threads may do at one time
/// (sem_overview(7)).
public final class Permits: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>

    public init(_ count: Int) {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, CUnsignedInt(clamping: count))
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    /// Takes one, and waits for it if there is none.
    ///
    /// - Parameter patience: how long to wait at most, in nanoseconds.
    /// - Returns: false if there was none for so long.
    public func take(within patience: UInt64) -> Bool {
        if sem_trywait(semaphore) == 0 { return true }
        let end = Clock.monotonic() + patience
        var time = timespec(
            tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
        while sem_clockwait(semaphore, CLOCK_MONOTONIC, &time) != 0 {
            // One may have come in the meantime: on a busy machine this thread runs late.
            if errno != EINTR { return sem_trywait(semaphore) == 0 }
        }
        return true
    }

    /// Gives one back, or adds one.
    public func give() { sem_post(semaphore) }
}
