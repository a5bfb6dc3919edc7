import Glibc
import KernelText
import Logging
import Synchronization
import Syscalls

/// The seccomp agent: answers sysinfo(2), and sched_getaffinity(2) where a profile asks for
/// it, for containers whose runtime hands over a notify descriptor.
///
/// A few threads wait on one epoll instance. Each descriptor is reported to one of them at a
/// time, and goes to the end of the queue after one answer: a container that calls in a loop
/// takes turns with the others, and is made to wait if it calls too often.
final class Agent: Sendable {
    private let listeners: AgentListeners
    private let slots: AgentSlots
    private let poller: Poller
    private let socket: AgentSocket
    private let answers: AgentAnswers
    private let pauses = AgentPauses()
    private let log: Logger

    private let answered = Atomic<UInt64>(0)
    private let passed = Atomic<UInt64>(0)

    private let permits = AgentPermits(threads - 1)
    private let threadCount = Atomic<Int>(0)
    /// When an error was logged last, on the monotonic clock.
    private let reportedAt = Atomic<UInt64>(0)

    /// One of them stays out of the callers' memory, see ``AgentPermits``.
    private static let threads = 3

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
        poller = try Poller()
        answers = AgentAnswers(
            host: host, registry: registry, callers: callers, mounts: mounts,
            permits: permits, log: log)
        socket = AgentSocket(listener, poller: poller, listeners: listeners, log: log) {
            host.tree.closeFiles()
        }
    }

    /// Serves a descriptor that an earlier worker had. Before ``start(afterCrash:)``.
    func adopt(
        _ descriptor: HeldDescriptor, _ origin: ListenerOrigin, token: UInt64
    ) throws(SystemError) {
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
        for index in 0..<AgentSlots.count where afterCrash || index >= Self.threads {
            // Calls in further slots are of threads that were stuck.
            try passInFlight(slots[index])
        }
        try socket.start()
        for _ in 0..<Self.threads { _ = try addThread() }
    }

    private func passInFlight(_ slot: NotificationSlot) throws(SystemError) {
        defer { slot.clear() }
        guard let (token, id) = slot.inFlight, let listener = listeners[token] else { return }
        log.notice("a call of \(listener.origin.id ?? "a container") is left to the kernel")
        passed.add(1, ordering: .relaxed)
        try SeccompNotify.pass(listener.descriptor, id)
    }

    /// - Returns: false if there are as many as there can be.
    private func addThread() throws(SystemError) -> Bool {
        let index = threadCount.add(1, ordering: .relaxed).oldValue
        guard index < AgentSlots.count else {
            threadCount.subtract(1, ordering: .relaxed)
            return false
        }
        let slot = slots[index]
        try startThread("agent") { [self] in run(slot) }
        return true
    }

    /// Another thread for those that a container holds up. When there are enough of them, calls
    /// are left to the kernel until one comes back.
    private func replaceStuckThread() throws(SystemError) {
        guard try addThread() else { return }
        permits.give()
        log.warning("seccomp agent: callers' memory that does not come holds up all threads")
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

    private func run(_ slot: NotificationSlot) {
        let workspace = Workspace.current
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: AgentAnswers.largestAnswer, alignment: 8)
        if let (token, _) = slot.inFlight, let listener = listeners[token] {
            do {
                try answer(slot.call, listener, buffer, workspace)
            } catch {
                report(error)
            }
        }
        slot.clear()
        while true {
            for listener in pauses.takeDue() { rearm(listener) }
            let event: Poller.Event?
            do {
                event = try poller.next(timeout: timeout)
            } catch {
                report(error)
                // Nothing else can be done, and it is not to take a whole CPU.
                usleep(100_000)
                continue
            }
            guard let event else {
                socket.expire()
                continue
            }
            guard let listener = listeners[event.token] else {
                socket.handle(event.token)
                continue
            }
            if event.isHungUp, !event.isReadable {
                log.debug("no longer listening for \(listener.origin.id ?? "?")")
                listeners.remove(listener)
                continue
            }
            do {
                // RECV waits when there is nothing to receive.
                if event.isReadable { try serve(listener, slot, buffer, workspace) }
            } catch {
                report(error)
            }
            if let end = listener.countCall() {
                pauses.add(listener, until: end)
            } else {
                rearm(listener)
            }
        }
    }

    /// Nothing here is expected to fail, and what does fail will not do so only once: the log gets
    /// one line a second.
    private func report(_ error: SystemError) {
        let now = Clock.monotonic()
        let last = reportedAt.load(ordering: .relaxed)
        guard clampedDifference(now, last) >= 1_000_000_000,
            reportedAt.compareExchange(
                expected: last, desired: now, ordering: .relaxed
            ).exchanged
        else { return }
        log.error("seccomp agent: \(error)")
    }

    private func rearm(_ listener: AgentListener) {
        do {
            try poller.rearm(listener.descriptor, token: listener.token)
        } catch {
            report(error)
        }
    }

    private var timeout: CInt {
        let (socket, pause) = (socket.timeout, pauses.timeout)
        return socket < 0 || pause < 0 ? max(socket, pause) : min(socket, pause)
    }

    private func serve(
        _ listener: AgentListener, _ slot: NotificationSlot,
        _ buffer: UnsafeMutableRawBufferPointer, _ workspace: Workspace
    ) throws(SystemError) {
        defer { slot.clear() }
        let received = try SeccompNotify.receive(
            listener.descriptor, listener: listener.token, into: slot)
        if let received { try answer(received, listener, buffer, workspace) }
    }

    private func answer(
        _ call: InterceptedCall, _ listener: AgentListener,
        _ buffer: UnsafeMutableRawBufferPointer, _ workspace: Workspace
    ) throws(SystemError) {
        switch answers.answer(call, listener, buffer, workspace) {
        case .value(let value):
            answered.add(1, ordering: .relaxed)
            try SeccompNotify.finish(listener.descriptor, call.id, returning: value)
        case .stuck:
            passed.add(1, ordering: .relaxed)
            try SeccompNotify.pass(listener.descriptor, call.id)
            try replaceStuckThread()
        case .pass:
            passed.add(1, ordering: .relaxed)
            try SeccompNotify.pass(listener.descriptor, call.id)
        }
    }
}
