import Syscalls

/// Wakes one thread of the agent at the earliest time that somebody has asked for. Which thread,
/// decides the poller: the one that asks may be held up by then.
final class AgentAlarm: Sendable {
    /// In the poller; no listener and no connection has it.
    static let token = UInt64.max

    private let timer: Timer
    private let next = Guarded<UInt64>(.max)

    init() throws(SystemError) { timer = try Timer() }

    /// - Parameter time: on the monotonic clock, in nanoseconds.
    func ask(at time: UInt64) {
        next.withLock { next in
            if time >= next { return }
            next = time
            timer.set(time)
        }
    }

    /// From now on it is silent until somebody asks again. Before one looks what is due: what is
    /// asked for meanwhile is not lost.
    func silence() {
        next.withLock { next in
            next = .max
            timer.set(.max)
        }
    }

    func start(_ poller: Poller) throws(SystemError) {
        try poller.addOnce(timer.descriptor, token: Self.token)
    }

    func rearm(_ poller: Poller) throws(SystemError) {
        try poller.rearm(timer.descriptor, token: Self.token)
    }
}
