import KernelText
import Synchronization
import Syscalls

/// What threads may do with pages of one container at one time.
///
/// Pushing can wait for a READ to be answered, and for a reader that keeps a page locked, for as
/// long as the container's quota lets it. So one thread of a container pushes, and is given up for
/// lost meanwhile: the container has another one (`RequestGate`), which answers READs.
final class PushPermits: Sendable {
    private let own: Permits
    private let all: PagePermits
    private let isResizing = Atomic<Bool>(false)
    /// When the last one was taken.
    private let takenAt = Atomic<UInt64>(0)
    /// When a size has changed last; 0 if none has.
    private let resizedAt = Atomic<UInt64>(0)

    /// Nothing is ever pushed.
    let areNone: Bool

    /// - Parameters:
    ///   - count: threads that push at one time.
    ///   - all: what all containers share.
    init(_ count: Int = 1, of all: PagePermits = PagePermits()) {
        own = Permits(count)
        self.all = all
        areNone = count == 0 || all.areNone
    }

    /// How long a push may take before nobody waits for it any more, in nanoseconds.
    private static let patience: UInt64 = 2_000_000

    /// Waits up to 2 ms for another push of the container, unless that has taken longer already:
    /// a thread that holds a permit may itself wait for a READ that only this thread can answer.
    func take() -> Bool {
        if areNone { return false }
        if !own.take(within: 0) {
            let since = takenAt.load(ordering: .relaxed)
            let age = clampedDifference(Clock.monotonic(), since)
            guard age < Self.patience, own.take(within: Self.patience - age) else {
                return false
            }
        }
        guard all.pushes.take(within: 0) else {
            own.give()
            return false
        }
        takenAt.store(Clock.monotonic(), ordering: .relaxed)
        return true
    }

    func give() {
        all.pushes.give()
        own.give()
    }

    /// One size of a container changes at a time: the file rests for a while, and READ waits for it,
    /// so there would be no thread left that tells readers of the former content that it has
    /// ended.
    ///
    /// - Parameter now: on the monotonic clock.
    func beginResizing(now: UInt64) -> Bool {
        if isResizing.exchange(true, ordering: .acquiring) { return false }
        let former = resizedAt.load(ordering: .relaxed)
        if all.beginResizing(after: former == 0 ? nil : former, now: now) {
            resizedAt.store(now, ordering: .relaxed)
            return true
        }
        isResizing.store(false, ordering: .releasing)
        return false
    }

    func endResizing() {
        all.endResizing()
        isResizing.store(false, ordering: .releasing)
    }
}
