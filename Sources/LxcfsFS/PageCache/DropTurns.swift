import KernelText
import Synchronization

/// What it costs to drop pages of one container, and so when that may be done again.
///
/// The kernel goes through all mappings of a file for that, and waits for every page that a reader
/// keeps locked: both are up to the container. So what takes long is done seldom, and by threads
/// that nobody else waits for.
final class DropTurns: Sendable {
    /// A thread may spend this part of its time on dropping pages of one container: 1 / 20, which
    /// is 5 % of a CPU.
    private static let share: UInt64 = 20
    /// What costs less, in nanoseconds of CPU time, is not counted.
    private static let cheap: UInt64 = 500_000
    /// Who has taken longer than this, in nanoseconds, is left to other threads for some time.
    static let longest: UInt64 = 4_000_000
    private static let memory: UInt64 = 10_000_000_000

    private let notBefore = Atomic<UInt64>(0)
    private let slowUntil = Atomic<UInt64>(0)

    /// Notes what has been done.
    ///
    /// - Parameters:
    ///   - cpu: the CPU time of the thread, in nanoseconds.
    ///   - time: how long it has taken, in nanoseconds.
    ///   - now: on the monotonic clock.
    func note(cpu: UInt64, time: UInt64, now: UInt64) {
        if time >= Self.longest { noteSlow(now: now) }
        if cpu < Self.cheap { return }
        notBefore.store(
            clampedSum(now, cpu.multipliedReportingOverflow(by: Self.share).partialValue),
            ordering: .relaxed)
    }

    func noteSlow(now: UInt64) {
        slowUntil.store(clampedSum(now, Self.memory), ordering: .relaxed)
    }

    /// Before this moment no pages are dropped.
    var nextTurn: UInt64 { notBefore.load(ordering: .relaxed) }

    func mayDrop(now: UInt64) -> Bool { nextTurn <= now }

    func isSlow(now: UInt64) -> Bool { slowUntil.load(ordering: .relaxed) > now }
}
