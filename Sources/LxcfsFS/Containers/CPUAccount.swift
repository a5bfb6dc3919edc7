import KernelText
import Synchronization
import Syscalls

/// What the daemon's threads have worked for one container of late, which nobody charges to it.
///
/// It may have as much as three quarters of one CPU, and 0.1 s of that in advance: a single program
/// that reads without a pause gets along with it. Beyond that its requests wait, so that the other
/// containers find a CPU that is free.
final class CPUAccount: Sendable {
    /// How long one nanosecond of work is paid for.
    private static let price: (UInt64, UInt64) = (4, 3)
    /// In nanoseconds of paying.
    private static let advance: UInt64 = 100_000_000
    /// In nanoseconds of paying: more debts than that are forgotten.
    private static let mostDebt: UInt64 = 1_000_000_000
    /// Nanoseconds that one request waits at most.
    static let longestWait: UInt64 = 4_000_000

    /// The work of one request in so many is measured: asking for CPU time is a system call.
    static let sampling: UInt64 = 8

    /// On the monotonic clock: until then all work so far is paid for.
    private let paidUntil = Atomic<UInt64>(0)
    private let overdrawn = Atomic<Bool>(false)

    /// Whether requests have to wait. It is so until ``wait(now:)`` says otherwise.
    var isOverdrawn: Bool { overdrawn.load(ordering: .relaxed) }

    /// A request has been measured, which stands for others.
    ///
    /// - Parameter start: see ``Workspace/beginWork()``; on the same thread.
    func charge(since start: UInt64) {
        let work = min(clampedDifference(Clock.work(), start), Self.mostDebt)
        charge(work * Self.sampling, now: Clock.monotonic())
    }

    /// - Parameters:
    ///   - work: CPU time, in nanoseconds.
    ///   - now: on the monotonic clock, in nanoseconds since boot.
    func charge(_ work: UInt64, now: UInt64) {
        let cost = min(work, Self.mostDebt) / Self.price.1 * Self.price.0
        var seen = paidUntil.load(ordering: .relaxed)
        while true {
            let start = max(seen, clampedDifference(now, Self.advance))
            let paid = min(start + cost, now + Self.mostDebt)
            let (isDone, current) = paidUntil.weakCompareExchange(
                expected: seen, desired: paid, ordering: .relaxed)
            if isDone {
                if paid > now { overdrawn.store(true, ordering: .relaxed) }
                return
            }
            seen = current
        }
    }

    /// How long the next request has to wait, in nanoseconds; 0 if it need not.
    func wait(now: UInt64) -> UInt64 {
        let debt = clampedDifference(paidUntil.load(ordering: .relaxed), now)
        if debt == 0 { overdrawn.store(false, ordering: .relaxed) }
        return min(debt, Self.longestWait)
    }
}
