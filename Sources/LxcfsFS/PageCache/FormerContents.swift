import Cgroups
import Glibc
import KernelText
import LxcfsHandover
import Synchronization
import Syscalls

/// The contents that an earlier worker has told the kernel of last, which are shown a moment
/// longer.
///
/// Whoever has read a file to its end and asks for more gets the end of the next content, if
/// that is longer and has come in between. That is a matter of microseconds, except when a
/// worker has died in between: so whoever has waited for the next one is answered as if no time
/// had passed.
final class HandedOver: @unchecked Sendable {
    private let lock = Lock()
    private var contents: [NodeID: Snapshot] = [:]
    /// On the monotonic clock.
    private var end: UInt64 = 0
    /// The earlier worker is dead but cannot end, see ``Pushes``.
    private var isStuck = false
    private var former: pid_t = 0
    /// Read without the lock: nearly always there are none.
    private let isEmpty = Atomic<Bool>(true)

    /// Nanoseconds in which those are answered who have waited.
    private static let moment: UInt64 = 50_000_000

    /// Who has read what is older, in nanoseconds, has seen its end by now.
    private static let oldest: UInt64 = 500_000_000

    /// Before the first request.
    ///
    /// - Parameter former: the process number of the earlier worker.
    /// - Returns: what the kernel was told of last, shown or not.
    func take(
        _ announcements: Announcements, _ pushes: Pushes, former: pid_t
    ) -> [Announcements.Entry] {
        let pushed = Set(pushes.takeLeft())
        self.former = former
        isStuck = former > 0 && !pushed.isEmpty && ChildProcess.isEnding(former)
        // What a thread that is still there pushes will be seen.
        let told = announcements.lastTold(unfinished: isStuck ? [] : pushed)
        let now = Clock.monotonic()
        for entry in told
        where isStuck || clampedDifference(now, entry.snapshot.time) < Self.oldest {
            contents[entry.node] = entry.snapshot
        }
        end = now + Self.moment
        isEmpty.store(contents.isEmpty, ordering: .releasing)
        return told
    }

    /// What must be shown of a file at this moment; nil for what is up to this worker.
    func content(of node: NodeID, now: UInt64) -> Snapshot? {
        if isEmpty.load(ordering: .relaxed) { return nil }
        return lock.withLock {
            if now < end || (isStuck && ChildProcess.isEnding(former)) { return contents[node] }
            contents = [:]
            isEmpty.store(true, ordering: .relaxed)
            return nil
        }
    }
}
