import KernelText
import Syscalls

/// What one container takes of the agent, and may take.
///
/// What the agent does for a container is not charged to that container's CPU quota. So it is
/// counted here, for all listeners of the container together: who is over a bound waits, or is
/// answered by the kernel. Others do not notice.
final class AgentShare: Sendable {
    /// Calls in one ``window``. Programs ask a few times in their life.
    static let callLimit = 64
    /// In nanoseconds.
    static let window: UInt64 = 10_000_000
    /// CPU time of the agent in one ``window``, in nanoseconds: a fifth of one CPU.
    static let timeLimit: UInt64 = 2_000_000
    /// Threads that work for the container at one time.
    static let workLimit = 2
    /// Nanoseconds after which a thread is taken to be held by the container.
    static let patience: UInt64 = 100_000_000
    /// Listeners. Each `exec` brings one, which lives as long as a process that it has started.
    static let listenerLimit = 2048

    /// What becomes of a call that is there to be received.
    enum Turn: Equatable {
        /// It is answered, until ``end(startedAt:cpu:now:)``.
        case answer
        /// The container holds all threads that it may have: the kernel is to answer.
        case pass
        /// The listener waits, at most until this time on the monotonic clock.
        case wait(until: UInt64)
    }

    private struct State {
        var listeners = 0
        var windowStart: UInt64 = 0
        var calls = 0
        /// CPU time that has been used and not been granted yet, in nanoseconds.
        var debt: UInt64 = 0
        var debtTime: UInt64 = 0
        /// When the threads that work at the moment have begun.
        var works: [UInt64] = []
        /// Listeners with calls that wait for their turn.
        var waiting: [AgentListener] = []

        /// Nanoseconds until more may be done; 0 for at once.
        mutating func pause(now: UInt64) -> UInt64 {
            if clampedDifference(now, windowStart) >= AgentShare.window {
                windowStart = now
                calls = 0
            }
            let rate = AgentShare.window / AgentShare.timeLimit
            debt = clampedDifference(debt, clampedDifference(now, debtTime) / rate)
            debtTime = now
            if debt > AgentShare.timeLimit {
                return clampedDifference(debt, AgentShare.timeLimit) &* rate
            }
            return calls < AgentShare.callLimit
                ? 0 : clampedDifference(windowStart + AgentShare.window, now)
        }
    }
    private let state = Guarded(State())

    /// A call of `listener` can be received.
    ///
    /// - Parameter limit: threads that may work at one time, at most ``workLimit``.
    func begin(_ listener: AgentListener, limit: Int = workLimit, now: UInt64) -> Turn {
        state.withLock { state in
            let pause = state.pause(now: now)
            if pause > 0 {
                state.waiting.append(listener)
                return .wait(until: now + pause)
            }
            if state.works.count >= limit, let last = state.works.max() {
                if clampedDifference(now, last) >= Self.patience {
                    state.calls += 1
                    return .pass
                }
                state.waiting.append(listener)
                return .wait(until: last + Self.patience)
            }
            state.calls += 1
            state.works.append(now)
            return .answer
        }
    }

    /// A thread works for the container, whatever it may: an earlier worker had begun.
    func resume(now: UInt64) { state.withLock { $0.works.append(now) } }

    /// A thread does not work for the container any more.
    ///
    /// - Parameters:
    ///   - start: what ``begin(_:limit:now:)`` was told.
    ///   - cpu: CPU time that it took, in nanoseconds.
    /// - Returns: a listener that has waited for this.
    func end(startedAt start: UInt64, cpu: UInt64, now: UInt64) -> AgentListener? {
        state.withLock { state in
            if let index = state.works.firstIndex(of: start) { state.works.remove(at: index) }
            let pause = state.pause(now: now)
            state.debt += cpu
            return pause > 0 || state.waiting.isEmpty ? nil : state.waiting.removeFirst()
        }
    }

    /// Counts CPU time, in nanoseconds, for what needed no thread of its own.
    func charge(cpu: UInt64) { state.withLock { $0.debt += cpu } }

    /// What has waited and may be looked at again: as many as there may be calls.
    ///
    /// - Returns: until when the rest waits, nil if there is none.
    func takeWaiting(now: UInt64) -> (listeners: [AgentListener], rest: UInt64?) {
        state.withLock { state in
            if state.waiting.isEmpty { return ([], nil) }
            let pause = state.pause(now: now)
            if pause > 0 { return ([], now + pause) }
            let count = min(Self.callLimit - state.calls, state.waiting.count)
            let due = Array(state.waiting[..<count])
            state.waiting.removeFirst(count)
            return (due, state.waiting.isEmpty ? nil : now + Self.window)
        }
    }

    // MARK: - Listeners

    /// - Returns: false if there are too many, and `isForced` is not set.
    func addListener(isForced: Bool = false) -> Bool {
        state.withLock { state in
            guard isForced || state.listeners < Self.listenerLimit else { return false }
            state.listeners += 1
            return true
        }
    }

    /// - Returns: whether it was the last one.
    func removeListener() -> Bool {
        state.withLock { state in
            state.listeners -= 1
            return state.listeners <= 0
        }
    }
}
