import Cgroups
import KernelText
import LxcfsHandover
import Synchronization
import Syscalls

/// The listeners that have called too often and wait for their next turn.
///
/// What the agent does for a container is not charged to that container's CPU quota; without
/// a bound, a loop in one would take CPU time from all.
final class AgentPauses: @unchecked Sendable {
    private let lock = Lock()
    private let count = Atomic<Int>(0)
    private var waiting: [(listener: AgentListener, end: UInt64)] = []

    /// - Parameter end: on the monotonic clock.
    func add(_ listener: AgentListener, until end: UInt64) {
        lock.withLock { waiting.append((listener, end)) }
        count.add(1, ordering: .releasing)
    }

    /// Those whose time has come.
    func takeDue() -> [AgentListener] {
        // Asked before every call; nearly always there is none.
        if count.load(ordering: .acquiring) == 0 { return [] }
        let now = Clock.monotonic()
        return lock.withLock {
            let due = waiting.filter { $0.end <= now }.map(\.listener)
            waiting.removeAll { $0.end <= now }
            count.subtract(due.count, ordering: .releasing)
            return due
        }
    }

    /// Milliseconds until the next one is due; -1 for never.
    var timeout: CInt {
        if count.load(ordering: .acquiring) == 0 { return -1 }
        guard let next = lock.withLock({ waiting.map(\.end).min() }) else { return -1 }
        return CInt(clamping: clampedDifference(next, Clock.monotonic()) / 1_000_000 + 1)
    }
}
