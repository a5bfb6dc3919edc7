import KernelText
import Synchronization
import Syscalls

/// The listeners that have called too often and wait for their next turn.
///
/// What the agent does for a container is not charged to that container's CPU quota; without
/// a bound, a loop in one would take CPU time from all.
final class AgentPauses: Sendable {
    /// How many there are: a thread that finds 0 need not look.
    private let count = Atomic<Int>(0)
    private let waiting = Guarded<[(listener: AgentListener, end: UInt64)]>([])

    /// - Parameter end: on the monotonic clock.
    func add(_ listener: AgentListener, until end: UInt64) {
        waiting.withLock { $0.append((listener, end)) }
        count.add(1, ordering: .releasing)
    }

    /// Those whose time has come.
    func takeDue() -> [AgentListener] {
        // Asked before every call; nearly always there is none.
        if count.load(ordering: .acquiring) == 0 { return [] }
        let now = Clock.monotonic()
        return waiting.withLock { waiting in
            let due = waiting.filter { $0.end <= now }.map(\.listener)
            waiting.removeAll { $0.end <= now }
            count.subtract(due.count, ordering: .releasing)
            return due
        }
    }

    /// Milliseconds until the next one is due; -1 for never.
    var timeout: CInt {
        if count.load(ordering: .acquiring) == 0 { return -1 }
        guard let next = waiting.withLock({ $0.map(\.end).min() }) else { return -1 }
        return CInt(clamping: clampedDifference(next, Clock.monotonic()) / 1_000_000 + 1)
    }
}
