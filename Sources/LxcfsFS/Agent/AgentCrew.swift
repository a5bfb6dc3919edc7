import Synchronization
import Syscalls

/// The threads of the agent: how many there are, and how many work.
///
/// A container decides what is behind an address. If it is a page that another process has to
/// deliver first (a file of a FUSE of its own), writing waits as long as that takes. So one thread
/// always stays out, and makes another one when all others have not come back for a moment. When
/// there are as many as there can be, calls are left to the kernel until one comes back.
final class AgentCrew: Sendable {
    /// Threads that stay when nobody is held.
    static let usual = 3

    /// Nanoseconds until those who work are taken to be held: all callers wait for so long then.
    private static let patience: UInt64 = 2_000_000

    private struct State {
        /// Slots that no thread has, the next one last.
        var free = Array((0..<AgentSlots.count).reversed())
        var threads = 0
        var working = 0

        var hasSpare: Bool { threads - working > AgentCrew.usual }
    }
    private let state = Guarded(State())
    /// For each thread that may begin to work, so that one always stays out.
    private let permits = Permits(0)

    /// Counts a thread that is to be started.
    ///
    /// - Returns: the number of its slot; nil if there are as many as there can be.
    func add() -> Int? {
        let slot: Int? = state.withLock { state in
            guard let slot = state.free.popLast() else { return nil }
            state.threads += 1
            return slot
        }
        if slot != nil, threads > 1 { permits.give() }
        return slot
    }

    /// A thread that was counted has not been started.
    func failed(slot: Int) {
        _ = permits.take(within: 0)
        state.withLock { state in
            state.threads -= 1
            state.free.append(slot)
        }
    }

    /// The calling thread wants to work.
    ///
    /// - Returns: false if nobody would be left, and nobody came back in time.
    func begin() -> Bool {
        guard permits.take(within: Self.patience) else { return false }
        state.withLock { $0.working += 1 }
        return true
    }

    /// The calling thread has worked.
    func end() {
        state.withLock { $0.working -= 1 }
        permits.give()
    }

    /// Whether the calling thread, which does not work, is one too many; it is to end then.
    func dismiss(slot: Int) -> Bool {
        guard state.withLock({ $0.hasSpare }) else { return false }
        // With the permit it is sure that another one stays out.
        guard permits.take(within: 0) else { return false }
        let isSpare = state.withLock { state in
            guard state.hasSpare else { return false }
            state.threads -= 1
            state.free.append(slot)
            return true
        }
        if !isSpare { permits.give() }
        return isSpare
    }

    var threads: Int { state.withLock { $0.threads } }

    /// Threads that work for one container at one time: fewer as soon as several containers hold
    /// theirs.
    var limit: Int {
        state.withLock { $0.working } > AgentSlots.count / 2 ? 1 : AgentShare.workLimit
    }
}
