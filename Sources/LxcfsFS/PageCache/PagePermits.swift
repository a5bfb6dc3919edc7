import KernelText
import Synchronization
import Syscalls

/// How many threads may do with pages, for all containers together, what may have to wait for
/// readers.
final class PagePermits: Sendable {
    /// Threads that push at one time. Each may wait for as long as a reader keeps a page locked, and
    /// no container has more than one of them.
    static let mostPushes = 12
    /// Files that change their size at one time, one of a container. Each takes threads that wait.
    static let mostResizings = 4
    /// How long a container that has had a turn leaves the next one to others that want one, in
    /// nanoseconds.
    private static let turn: UInt64 = 100_000_000

    let pushes: Permits
    private let resizings = Permits(mostResizings)
    /// When somebody has been refused last; 0 for never.
    private let refusedAt = Atomic<UInt64>(0)

    /// Nothing is ever pushed.
    let areNone: Bool

    /// - Parameter pushes: threads that push at one time.
    init(pushes count: Int = mostPushes) {
        pushes = Permits(count)
        areNone = count == 0
    }

    /// - Parameters:
    ///   - former: when a file of the same container has changed its size last; nil for long ago.
    ///   - now: on the monotonic clock.
    func beginResizing(after former: UInt64?, now: UInt64) -> Bool {
        let refused = refusedAt.load(ordering: .relaxed)
        if let former, refused > 0, clampedDifference(now, former) < Self.turn,
            clampedDifference(former, refused) < Self.turn
        {
            return false
        }
        if resizings.take(within: 0) { return true }
        refusedAt.store(now, ordering: .relaxed)
        return false
    }

    func endResizing() { resizings.give() }
}
