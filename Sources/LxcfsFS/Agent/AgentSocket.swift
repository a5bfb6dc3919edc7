import Glibc
import Logging
import Synchronization
import Syscalls

/// The socket on which runtimes hand over notify descriptors.
///
/// Never waits for a client. Its descriptors are in the agent's poller, each reported once, so
/// that one thread at a time deals with a connection.
final class AgentSocket: Sendable {
    /// Of the listening socket.
    static let token: UInt64 = 0

    private let listener: FileDescriptor
    private let poller: Poller
    private let listeners: AgentListeners
    private let alarm: AgentAlarm
    private let limitedLog: LimitedLog
    private let log: Logger
    /// Completes what the runtime says by what the kernel knows.
    private let identify: @Sendable (ListenerOrigin) -> ListenerOrigin
    /// Called when there are no descriptors left, to get some.
    private let releaseDescriptors: @Sendable () -> Void
    private let connections = AgentConnections()
    /// Nobody is accepted before this time, on the monotonic clock; 0 if there is no pause.
    private let pauseEnd = Atomic<UInt64>(0)

    /// Nanoseconds from connecting to the end of the message.
    private static let timeLimit: UInt64 = 5_000_000_000
    /// Nanoseconds without accepting, when there are no descriptors.
    private static let pause: UInt64 = 100_000_000
    /// Nanoseconds until what the keeper could not take is sent again.
    private static let storePause: UInt64 = 250_000_000

    init(
        _ listener: consuming FileDescriptor, poller: Poller, listeners: AgentListeners,
        alarm: AgentAlarm, limitedLog: LimitedLog, log: Logger,
        identify: @escaping @Sendable (ListenerOrigin) -> ListenerOrigin,
        releaseDescriptors: @escaping @Sendable () -> Void
    ) {
        self.identify = identify
        self.releaseDescriptors = releaseDescriptors
        self.listener = listener
        self.poller = poller
        self.listeners = listeners
        self.alarm = alarm
        self.limitedLog = limitedLog
        self.log = log
    }

    /// Accepts connections from now on.
    func start() throws(SystemError) { try poller.addOnce(listener, token: Self.token) }

    /// Does what the readiness of `token` allows.
    func handle(_ token: UInt64) {
        if token == Self.token {
            do {
                try acceptOrRelease()
                rearmListener()
            } catch {
                note(.socketFailure, .warning) { "seccomp socket: \(error)" }
                if error.isOutOfDescriptors { pauseAccepting() } else { rearmListener() }
            }
        } else if let connection = connections.take(token) {
            deal(with: connection)
        }
    }

    /// Does what is due: ends the connections that have not said everything in time, has listeners
    /// stored, and accepts again after a pause.
    func look(now: UInt64) {
        if let error = listeners.storeRest() {
            note(.unstored, .error) {
                "seccomp listener: it would not survive this process so far: \(error)"
            }
            alarm.ask(at: now + Self.storePause)
        }
        let (late, next) = connections.takeLate(now: now)
        for connection in late {
            adopt(connection, ListenerOrigin(), complaint: "it was not complete in time")
        }
        if let next { alarm.ask(at: next) }
        let end = pauseEnd.load(ordering: .acquiring)
        if end == 0 { return }
        if end > now {
            alarm.ask(at: end)
        } else if pauseEnd.compareExchange(
            expected: end, desired: 0, ordering: .acquiringAndReleasing
        ).exchanged {
            rearmListener()
        }
    }

    // MARK: - Connections

    private func acceptOrRelease() throws(SystemError) {
        do {
            try accept()
        } catch  where error.isOutOfDescriptors {
            releaseDescriptors()
            try accept()
        }
    }

    /// The runtime that could not be accepted is still there, and the poller would tell of it at
    /// once.
    private func pauseAccepting() {
        let end = Clock.monotonic() + Self.pause
        pauseEnd.store(end, ordering: .releasing)
        alarm.ask(at: end)
    }

    private func rearmListener() {
        do {
            try poller.rearm(listener, token: Self.token)
        } catch {
            note(.socketFailure, .error) { "seccomp socket: \(error)" }
        }
    }

    private func accept() throws(SystemError) {
        guard let socket = try UnixSocket.accept(listener) else { return }
        // The mode of the file keeps others out; this also holds for a descriptor that has
        // been handed on.
        let peer = try UnixSocket.peer(of: socket)
        guard peer.uid == 0 else {
            note(.strangers, .warning) { "seccomp socket: refused a peer that is not root" }
            return
        }
        let connection = AgentConnection(
            socket, token: listeners.takeToken(), peer: peer.pid,
            deadline: Clock.monotonic() + Self.timeLimit)
        let (isAdded, superseded) = connections.add(connection)
        if let superseded {
            adopt(superseded, ListenerOrigin(), complaint: "there are too many connections")
        }
        guard isAdded else {
            note(.tooManyConnections, .warning) {
                "seccomp socket: too many connections, refused one of process \(peer.pid)"
            }
            return
        }
        alarm.ask(at: connection.deadline)
        // Runtimes say at once what they have to say.
        deal(with: connection)
    }

    /// Receives what there is. The connection is the calling thread's.
    private func deal(with connection: AgentConnection) {
        do {
            if try receive(connection) { return connections.remove(connection) }
            let isWatched = connection.isWatched
            connection.isWatched = true
            connections.giveBack(connection)
            if isWatched {
                try poller.rearm(connection.socket, token: connection.token)
            } else {
                try poller.addOnce(connection.socket, token: connection.token)
            }
        } catch {
            connections.remove(connection)
            note(.socketFailure, .warning) { "seccomp socket: \(error)" }
        }
    }

    /// - Returns: whether the connection has come to its end.
    private func receive(_ connection: AgentConnection) throws(SystemError) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 16384)
        let received = try UnixSocket.receive(from: connection.socket, into: &buffer)
        guard let received else { return false }
        guard connection.take(received.descriptors) else {
            adopt(connection, ListenerOrigin(), complaint: "it has too many descriptors")
            return true
        }
        if received.count == 0 {
            // A client that only looks whether the agent is there says nothing.
            if connection.hasSpoken {
                adopt(connection, ListenerOrigin(), complaint: "it is not complete")
            }
            return true
        }
        let progress = connection.message.append(buffer[..<received.count])
        guard connections.note(connection, size: connection.message.text.count) else {
            adopt(connection, ListenerOrigin(), complaint: "there is too much of all of them")
            return true
        }
        switch progress {
        case .incomplete: return false
        case .complete(let origin): adopt(connection, origin, complaint: nil)
        case .garbled(let reason): adopt(connection, ListenerOrigin(), complaint: reason)
        }
        return true
    }

    // MARK: - Listeners

    /// Serves the notify descriptors of a connection, also of one whose message makes no
    /// sense: whoever calls there waits already, and closing them would make the calls fail.
    private func adopt(
        _ connection: AgentConnection, _ said: ListenerOrigin, complaint: String?
    ) {
        if let complaint {
            note(.message, .warning) { "seccomp socket: a message is not used: \(complaint)" }
        }
        let origin = identify(said)
        let name = origin.id ?? "an unknown container"
        for held in connection.listeners {
            guard let listener = listeners.add(held, origin) else {
                note(.tooManyListeners, .warning) {
                    "seccomp socket: too many processes have a filter of their own: "
                        + "calls of another one of \(name) fail with ENOSYS"
                }
                continue
            }
            do {
                try serve(listener)
                log.debug("listening for \(name)")
            } catch {
                note(.socketFailure, .error) { "seccomp listener: \(error)" }
                listeners.abandon(listener)
            }
        }
        if listeners.isUnstored { alarm.ask(at: Clock.monotonic() + Self.storePause) }
        if connection.listeners.isEmpty {
            note(.withoutListener, .warning) {
                "seccomp socket: no notify descriptor from \(origin.id ?? "a runtime")"
            }
        }
    }

    /// Has the calls of `listener` reported from now on.
    func serve(_ listener: AgentListener) throws(SystemError) {
        SeccompNotify.wakeHere(listener.descriptor)
        try poller.addOnce(listener.descriptor, token: listener.token)
    }

    private func note(
        _ kind: LimitedLog.Kind, _ level: Logger.Level, _ message: () -> String
    ) {
        if let due = limitedLog.note(kind, level, message) { alarm.ask(at: due) }
    }
}
