import KernelText
import Synchronization

/// CPU time that looks at the threads of a container may take where nobody waits for them: a hundredth
/// of a CPU, and 40 ms of that in advance.
///
/// A container may have any number of pid namespaces and cgroups, each of which is shown numbers of its
/// own in the caller tree: they share this.
final class LookShare: Sendable {
    /// In nanoseconds of paying, see ``ThreadFigures/pause``.
    private static let advance: UInt64 = 4_000_000_000

    /// On the monotonic clock: until then all looks so far are paid for.
    private let paidUntil = Atomic<UInt64>(0)

    /// Whether somebody may look now. Otherwise what is known serves.
    func mayLook(now: UInt64) -> Bool { paidUntil.load(ordering: .relaxed) <= now }

    /// - Parameters:
    ///   - cost: CPU time of a look, in nanoseconds.
    ///   - now: on the monotonic clock.
    func charge(_ cost: UInt64, now: UInt64) {
        let (price, overflow) = cost.multipliedReportingOverflow(by: ThreadFigures.pause)
        var seen = paidUntil.load(ordering: .relaxed)
        while true {
            let start = max(seen, clampedDifference(now, Self.advance))
            let (isDone, current) = paidUntil.weakCompareExchange(
                expected: seen, desired: clampedSum(start, overflow ? .max : price),
                ordering: .relaxed)
            if isDone { return }
            seen = current
        }
    }
}
