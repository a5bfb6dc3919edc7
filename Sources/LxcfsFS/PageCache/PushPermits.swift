import Synchronization
import Syscalls

/// How many threads may push into the page cache at one time. Pushing can wait for a READ to
/// be answered, so there must always be threads left that answer.
final class PushPermits: Sendable {
    private let permits: Permits
    private let isResizing = Atomic<Bool>(false)

    /// Nothing is ever pushed.
    let areNone: Bool

    init(_ count: Int) {
        permits = Permits(count)
        areNone = count == 0
    }

    /// Waits up to 2 ms. Not longer: a thread that holds a permit may itself wait for a READ
    /// that only this thread can answer.
    func take() -> Bool { permits.take(within: 2_000_000) }

    func give() { permits.give() }

    /// One size changes at a time: the file rests for a while, and READ waits for it, so there
    /// would be no thread left that tells readers of the former content that it has ended.
    func beginResizing() -> Bool { !isResizing.exchange(true, ordering: .acquiring) }

    func endResizing() { isResizing.store(false, ordering: .releasing) }
}
