import Glibc
import Logging
import Synchronization
import Syscalls

/// The seccomp agent: answers sysinfo(2), and sched_getaffinity(2) where a profile asks for
/// it, for containers whose runtime hands over a notify descriptor.
///
/// A few threads wait on one epoll instance. Each descriptor is reported to one of them at a
/// time, and goes to the end of the queue after one answer: a container that calls in a loop
/// takes turns with the others. What one may take at all, says its ``AgentShare``.
final class Agent: Sendable {
    private let listeners: AgentListeners
    private let slots: AgentSlots
    private let poller: Poller
    private let alarm: AgentAlarm
    private let socket: AgentSocket
    private let answers: AgentAnswers
    private let pauses: AgentPauses
    private let crew = AgentCrew()
    private let log: Logger
    private let limitedLog: LimitedLog

    private let answered = Atomic<UInt64>(0)
    private let passed = Atomic<UInt64>(0)

    /// - Parameter listener: the socket on which runtimes hand over notify descriptors.
    /// - Throws: `ENOSYS` or `EINVAL` from a kernel without user notification.
    init(
        listener: consuming FileDescriptor, listeners: AgentListeners, slots: AgentSlots,
        host: Host, registry: Registry, callers: CallerLookup, mounts: SeenMeminfoLookup,
        log: Logger
    ) throws(SystemError) {
        try SeccompNotify.checkKernel()
        self.listeners = listeners
        self.slots = slots
        self.log = log
        limitedLog = LimitedLog(log)
        poller = try Poller()
        alarm = try AgentAlarm()
        pauses = AgentPauses(alarm)
        let answers = AgentAnswers(
            host: host, registry: registry, callers: callers, mounts: mounts, log: log)
        self.answers = answers
        socket = AgentSocket(
            listener, poller: poller, listeners: listeners, alarm: alarm,
            limitedLog: limitedLog, log: log, identify: answers.identify
        ) {
            host.tree.closeFiles()
        }
    }

    /// Serves a descriptor that an earlier worker had. Before ``start(afterCrash:)``.
    func adopt(
        _ descriptor: HeldDescriptor, _ origin: ListenerOrigin, token: UInt64
    ) throws(SystemError) {
        let origin = answers.identify(origin)
        try socket.serve(listeners.adopt(descriptor, origin, token: token))
    }

    /// An earlier worker does not serve a descriptor any more. Before ``start(afterCrash:)``.
    func abandon(token: UInt64) {
        if let listener = listeners[token] { listeners.abandon(listener) }
    }

    /// Starts to answer, first the calls that an earlier worker has received and not answered:
    /// they are not delivered again.
    ///
    /// - Parameter afterCrash: one of these calls may have been the cause.
    func start(afterCrash: Bool) throws(SystemError) {
        for index in 0..<AgentSlots.count where afterCrash || index >= AgentCrew.usual {
            // Calls in further slots are of threads that were held.
            try passInFlight(slots[index])
        }
        try alarm.start(poller)
        try socket.start()
        for _ in 0..<AgentCrew.usual { _ = try addThread() }
    }

    private func passInFlight(_ slot: NotificationSlot) throws(SystemError) {
        defer { slot.clear() }
        guard let (token, id) = slot.inFlight, let listener = listeners[token] else { return }
        note(.passedCall, .notice) {
            "a call of \(listener.origin.id ?? "a container") is left to the kernel"
        }
        passed.add(1, ordering: .relaxed)
        try SeccompNotify.pass(listener.descriptor, id)
    }

    /// - Returns: false if there are as many as there can be.
    private func addThread() throws(SystemError) -> Bool {
        guard let index = crew.add() else { return false }
        do {
            try startThread("agent") { [self] in run(slot: index) }
        } catch {
            crew.failed(slot: index)
            throw error
        }
        return true
    }

    /// Descriptors that are served.
    var listenerCount: Int { listeners.count }

    /// Calls since the start.
    var counters: [String: UInt64] {
        [
            "calls": answered.load(ordering: .relaxed),
            "passed": passed.load(ordering: .relaxed),
        ]
    }

    private func run(slot index: Int) {
        let slot = slots[index]
        let workspace = Workspace.current
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: AgentAnswers.largestAnswer, alignment: 8)
        defer { buffer.deallocate() }
        resume(slot, buffer, workspace)
        repeat {
            let event: Poller.Event?
            do {
                event = try poller.next(timeout: -1)
            } catch {
                report(error)
                // Nothing else can be done, and it is not to take a whole CPU.
                usleep(100_000)
                continue
            }
            guard let event else { continue }
            if event.token == AgentAlarm.token {
                look()
            } else if let listener = listeners[event.token] {
                attend(listener, event, slot, buffer, workspace)
            } else {
                socket.handle(event.token)
            }
        } while !crew.dismiss(slot: index)
    }

    /// Answers the call that an earlier worker had in this slot.
    private func resume(
        _ slot: NotificationSlot, _ buffer: UnsafeMutableRawBufferPointer,
        _ workspace: Workspace
    ) {
        defer { slot.clear() }
        guard let (token, _) = slot.inFlight, let listener = listeners[token] else { return }
        let start = Clock.monotonic()
        let cpu = Clock.work()
        listener.share.resume(now: start)
        do {
            // Nobody is held yet, and there are more threads to come.
            let isPermitted = crew.begin()
            defer { if isPermitted { crew.end() } }
            try answer(slot.call, listener, isPermitted: isPermitted, buffer, workspace)
        } catch {
            report(error)
        }
        finish(listener.share, startedAt: start, cpu: cpu)
    }

    /// Does what is due now.
    private func look() {
        alarm.silence()
        let now = Clock.monotonic()
        for token in pauses.takeDue(now: now) { rearm(token) }
        socket.look(now: now)
        if let next = limitedLog.flush(now: now) { alarm.ask(at: next) }
        do {
            try alarm.rearm(poller)
        } catch {
            report(error)
        }
    }

    /// Deals with a listener that has a call, or has nobody left to make one.
    private func attend(
        _ listener: AgentListener, _ event: Poller.Event, _ slot: NotificationSlot,
        _ buffer: UnsafeMutableRawBufferPointer, _ workspace: Workspace
    ) {
        if event.isHungUp, !event.isReadable {
            log.debug("no longer listening for \(listener.origin.id ?? "?")")
            do {
                try listeners.remove(listener)
            } catch {
                note(.unstored, .error) { "seccomp listener: it is kept in vain: \(error)" }
            }
            return
        }
        // RECV waits when there is nothing to receive.
        guard event.isReadable else { return rearm(listener) }
        let cpu = Clock.work()
        let start = Clock.monotonic()
        let share = listener.share
        switch share.begin(listener.token, limit: crew.limit, now: start) {
        case .wait(let end):
            pauses.add(share, until: end)
            share.charge(cpu: Clock.work() - cpu)
        case .pass:
            note(.heldThreads, .warning) {
                "seccomp agent: memory of \(listener.origin.id ?? "a container") that does not "
                    + "come holds up all threads that it may have: the kernel answers its calls"
            }
            serve(listener, isPermitted: false, slot, buffer, workspace)
            rearm(listener)
            share.charge(cpu: Clock.work() - cpu)
        case .answer:
            let isPermitted = beginWork()
            serve(listener, isPermitted: isPermitted, slot, buffer, workspace)
            if isPermitted { crew.end() }
            rearm(listener)
            finish(share, startedAt: start, cpu: cpu)
        }
    }

    private func finish(_ share: AgentShare, startedAt start: UInt64, cpu: UInt64) {
        let next = share.end(
            startedAt: start, cpu: Clock.work() - cpu, now: Clock.monotonic())
        if let next { rearm(next) }
    }

    /// Goes to work, and has another thread wait in the place of this one if nobody is left there.
    ///
    /// - Returns: false if there are as many threads as there can be, all of them held.
    private func beginWork() -> Bool {
        while !crew.begin() {
            do {
                if try addThread() { continue }
            } catch {
                report(error)
            }
            note(.heldThreads, .warning) {
                "seccomp agent: callers' memory that does not come holds up all "
                    + "\(crew.threads) threads: the kernel answers"
            }
            return false
        }
        return true
    }

    /// Nothing here is expected to fail, and what does fail will not do so only once.
    private func report(_ error: SystemError) {
        note(.failure, .error) { "seccomp agent: \(error)" }
    }

    private func note(
        _ kind: LimitedLog.Kind, _ level: Logger.Level, _ message: () -> String
    ) {
        if let due = limitedLog.note(kind, level, message) { alarm.ask(at: due) }
    }

    /// - Parameter token: that of a listener; it may be gone.
    private func rearm(_ token: UInt64) {
        if let listener = listeners[token] { rearm(listener) }
    }

    private func rearm(_ listener: AgentListener) {
        do {
            try poller.rearm(listener.descriptor, token: listener.token)
        } catch {
            report(error)
        }
    }

    /// - Parameter isPermitted: otherwise the kernel answers.
    private func serve(
        _ listener: AgentListener, isPermitted: Bool, _ slot: NotificationSlot,
        _ buffer: UnsafeMutableRawBufferPointer, _ workspace: Workspace
    ) {
        defer { slot.clear() }
        do {
            let received = try SeccompNotify.receive(
                listener.descriptor, listener: listener.token, into: slot)
            guard let received else { return }
            try answer(received, listener, isPermitted: isPermitted, buffer, workspace)
        } catch {
            report(error)
        }
    }

    private func answer(
        _ call: InterceptedCall, _ listener: AgentListener, isPermitted: Bool,
        _ buffer: UnsafeMutableRawBufferPointer, _ workspace: Workspace
    ) throws(SystemError) {
        let isPassed = !isPermitted && call.name != .other
        switch isPassed ? .pass : answers.answer(call, listener, buffer, workspace) {
        case .value(let value):
            answered.add(1, ordering: .relaxed)
            try SeccompNotify.finish(listener.descriptor, call.id, returning: value)
        case .pass:
            passed.add(1, ordering: .relaxed)
            try SeccompNotify.pass(listener.descriptor, call.id)
        case .refuse:
            note(.refusedCall, .warning) {
                "seccomp agent: \(listener.origin.id ?? "a container") makes a call that is not "
                    + "answered: it fails with ENOSYS"
            }
            try SeccompNotify.refuse(listener.descriptor, call.id, ENOSYS)
        }
    }
}
