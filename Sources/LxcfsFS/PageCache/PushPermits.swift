import Glibc
import KernelText
import LxcfsHandover
import Synchronization
import Syscalls

/// How many threads may push into the page cache at one time. Pushing can wait for a READ to
/// be answered, so there must always be threads left that answer.
final class PushPermits: Sendable {
    private let free: Atomic<Int>

    init(_ count: Int) { free = Atomic(count) }

    /// Waits for a moment, but not for as long as it takes: who has them may wait for whoever
    /// waits here.
    func take() -> Bool {
        for _ in 0..<Self.attempts {
            if takeNow() { return true }
            usleep(50)
        }
        return takeNow()
    }

    private static let attempts = 20

    private func takeNow() -> Bool {
        if free.subtract(1, ordering: .acquiring).newValue >= 0 { return true }
        free.add(1, ordering: .releasing)
        return false
    }

    func give() { free.add(1, ordering: .releasing) }

    private let isGrowing = Atomic<Bool>(false)

    /// One content gets longer at a time: it rests for a while, and READ waits for it, so there
    /// would be no thread left that tells those who have read it that it has ended.
    func beginGrowing() -> Bool { !isGrowing.exchange(true, ordering: .acquiring) }

    func endGrowing() { isGrowing.store(false, ordering: .releasing) }
}
