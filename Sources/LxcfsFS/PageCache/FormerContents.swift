import Glibc
import KernelText
import LxcfsHandover
import Synchronization
import Syscalls

/// The contents that an earlier worker has told the kernel of last, which are shown a moment
/// longer.
///
/// A reader who has read a file to its end and asks for more gets the end of the next content, if
/// that is longer and has come in between. That is a matter of microseconds, except when a
/// worker has died in between: so a reader who has waited for the next one is answered as if no
/// time had passed.
final class FormerContents: Sendable {
    private struct State {
        var contents: [NodeID: Snapshot] = [:]
        /// On the monotonic clock.
        var end: UInt64 = 0
        /// The earlier worker is dead but cannot end, see ``PushMarks``.
        var isStuck = false
        var former: pid_t = 0
    }

    private let state = Guarded(State())
    /// Read without the lock: nearly always there are none.
    private let isEmpty = Atomic<Bool>(true)

    /// Nanoseconds in which readers are answered who have waited.
    private static let moment: UInt64 = 50_000_000

    /// A reader who has read what is older, in nanoseconds, has seen its end by now.
    private static let oldest: UInt64 = 500_000_000

    /// Before the first request.
    ///
    /// - Parameters:
    ///   - former: the process number of the earlier worker; 0 if there was none.
    ///   - now: on the monotonic clock.
    /// - Returns: what the kernel was told of last, shown or not.
    func take(_ told: ToldContents, former: pid_t, now: UInt64) -> [ToldRing.Entry] {
        let pushed = told.takeMarks()
        let isStuck = former > 0 && !pushed.isEmpty && ChildProcess.isEnding(former)
        // What a thread that is still there pushes will be seen.
        let last = told.lastTold(unfinished: isStuck ? [] : pushed)
        state.withLock { state in
            state.former = former
            state.isStuck = isStuck
            for entry in last
            where isStuck || clampedDifference(now, entry.snapshot.time) < Self.oldest {
                state.contents[entry.node] = entry.snapshot
            }
            state.end = now + Self.moment
            isEmpty.store(state.contents.isEmpty, ordering: .releasing)
        }
        return last
    }

    /// What must be shown of a file at this moment; nil for what is up to this worker.
    func content(of node: NodeID, now: UInt64) -> Snapshot? {
        if isEmpty.load(ordering: .relaxed) { return nil }
        return state.withLock { state in
            if now < state.end || (state.isStuck && ChildProcess.isEnding(state.former)) {
                return state.contents[node]
            }
            state.contents = [:]
            isEmpty.store(true, ordering: .relaxed)
            return nil
        }
    }
}
