import Syscalls

/// The containers of which listeners wait for their turn.
final class AgentPauses: Sendable {
    private struct Pause {
        let share: AgentShare
        var end: UInt64
    }
    private let pauses = Guarded<[ObjectIdentifier: Pause]>([:])
    private let alarm: AgentAlarm

    init(_ alarm: AgentAlarm) { self.alarm = alarm }

    /// Has ``takeDue(now:)`` return what waits in `share`.
    ///
    /// - Parameter end: on the monotonic clock.
    func add(_ share: AgentShare, until end: UInt64) {
        pauses.withLock { pauses in
            let former = pauses[ObjectIdentifier(share)]?.end ?? .max
            pauses[ObjectIdentifier(share)] = Pause(share: share, end: min(former, end))
        }
        alarm.ask(at: end)
    }

    /// The tokens of listeners whose time has come. Asks for the next time.
    func takeDue(now: UInt64 = Clock.monotonic()) -> [UInt64] {
        let (due, next) = pauses.withLock { pauses in
            let due = pauses.values.filter { $0.end <= now }.map(\.share)
            for share in due { pauses[ObjectIdentifier(share)] = nil }
            return (due, pauses.values.map(\.end).min())
        }
        if let next { alarm.ask(at: next) }
        var listeners: [UInt64] = []
        for share in due {
            let (waited, rest) = share.takeWaiting(now: now)
            listeners += waited
            if let rest { add(share, until: rest) }
        }
        return listeners
    }
}
