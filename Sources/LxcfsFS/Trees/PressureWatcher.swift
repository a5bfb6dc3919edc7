import Glibc
import Syscalls

/// Waits for the events of all pressure triggers, on one thread that is started with the
/// first of them.
final class PressureWatcher: Sendable {
    private struct State {
        var poller: Poller?
        var triggers: [UInt64: WeakTrigger] = [:]
        var lastToken: UInt64 = 0
    }
    private let state = Guarded(State())

    private struct WeakTrigger { weak var trigger: PressureTrigger? }

    func watch(_ trigger: PressureTrigger) throws(SystemError) {
        let (poller, token) = try state.withLock { state throws(SystemError) in
            let poller = try started(&state)
            state.lastToken += 1
            state.triggers[state.lastToken] = WeakTrigger(trigger: trigger)
            return (poller, state.lastToken)
        }
        trigger.endsWatch = { [self] in forget(token) }
        try poller.addPriority(trigger.file, token: token)
    }

    /// Closing the file, which ends the trigger, takes it out of the epoll set.
    private func forget(_ token: UInt64) {
        state.withLock { $0.triggers[token] = nil }
    }

    private func started(_ state: inout State) throws(SystemError) -> Poller {
        if let poller = state.poller { return poller }
        let made = try Poller()
        try startThread("pressure") { [self] in run(made) }
        state.poller = made
        return made
    }

    private func run(_ poller: Poller) {
        while true {
            guard let token = try? poller.wait(timeout: -1),
                let trigger = state.withLock({ $0.triggers[token]?.trigger })
            else { continue }
            // Waiting has taken the event; what is left is an error.
            var now = pollfd(fd: trigger.file.raw, events: Int16(POLLPRI), revents: 0)
            let gone = poll(&now, 1, 0) > 0 && now.revents & Int16(POLLERR) != 0
            if gone { try? poller.remove(trigger.file) }
            trigger.happened(failed: gone)
        }
    }
}
