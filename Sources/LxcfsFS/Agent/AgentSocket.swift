import Glibc
import Logging
import Syscalls

/// The socket on which runtimes hand over notify descriptors.
///
/// Never waits for a client. Its descriptors are in the agent's poller, each reported once, so
/// that one thread at a time deals with a connection.
final class AgentSocket: Sendable {
    /// Belongs to the thread to which the poller has reported it.
    private final class Connection: @unchecked Sendable {
        let socket: FileDescriptor
        let deadline: UInt64
        var message = AgentMessage()
        var descriptors: [HeldDescriptor] = []

        init(_ socket: consuming FileDescriptor, deadline: UInt64) {
            self.socket = socket
            self.deadline = deadline
        }
    }

    /// Of the listening socket.
    static let token: UInt64 = 0

    private let listener: FileDescriptor
    private let poller: Poller
    private let listeners: AgentListeners
    private let log: Logger
    /// Called when there are no descriptors left, to get some.
    private let releaseDescriptors: @Sendable () -> Void
    private let connections = Guarded<[UInt64: Connection]>([:])

    /// Connections at one time.
    private static let countLimit = 1024
    /// Nanoseconds from connecting to the end of the message.
    private static let timeLimit: UInt64 = 5_000_000_000

    init(
        _ listener: consuming FileDescriptor, poller: Poller, listeners: AgentListeners,
        log: Logger, releaseDescriptors: @escaping @Sendable () -> Void
    ) {
        self.releaseDescriptors = releaseDescriptors
        self.listener = listener
        self.poller = poller
        self.listeners = listeners
        self.log = log
    }

    /// Accepts connections from now on.
    func start() throws(SystemError) { try poller.addOnce(listener, token: Self.token) }

    /// Milliseconds until ``expire()`` is to be called; -1 for never.
    var timeout: CInt { connections.withLock { $0.isEmpty ? -1 : 1000 } }

    /// Does what the readiness of `token` allows.
    func handle(_ token: UInt64) {
        do {
            if token == Self.token {
                defer { rearmListener() }
                do {
                    try accept()
                } catch  where error.isOutOfDescriptors {
                    releaseDescriptors()
                    try accept()
                }
            } else if let connection = connections.withLock({ $0[token] }) {
                try receive(connection, token)
            }
        } catch {
            log.warning("seccomp socket: \(error)")
            drop(token)
            // The runtime that could not be accepted is still there: the poller tells of it again.
            if error.isOutOfDescriptors { usleep(10_000) }
        }
    }

    /// Ends the connections that have not said everything in time.
    func expire() {
        let now = Clock.monotonic()
        let late = connections.withLock { $0.filter { $0.value.deadline < now } }
        for (token, connection) in late {
            drop(token)
            adopt(connection, ListenerOrigin(), complaint: "it was not complete in time")
        }
    }

    private func rearmListener() {
        do {
            try poller.rearm(listener, token: Self.token)
        } catch {
            log.error("seccomp socket: \(error)")
        }
    }

    private func drop(_ token: UInt64) {
        _ = connections.withLock { $0.removeValue(forKey: token) }
    }

    private func accept() throws(SystemError) {
        guard let socket = try UnixSocket.accept(listener) else { return }
        // The mode of the file keeps others out; this also holds for a descriptor that has
        // been handed on.
        guard try UnixSocket.peer(of: socket).uid == 0 else {
            log.warning("seccomp socket: refused a peer that is not root")
            return
        }
        let token = listeners.takeToken()
        let connection = Connection(socket, deadline: Clock.monotonic() + Self.timeLimit)
        let isRoom = connections.withLock { connections in
            if connections.count >= Self.countLimit { return false }
            connections[token] = connection
            return true
        }
        guard isRoom else {
            log.warning("seccomp socket: too many connections")
            return
        }
        try poller.addOnce(connection.socket, token: token)
    }

    private func receive(_ connection: Connection, _ token: UInt64) throws(SystemError) {
        var buffer = [UInt8](repeating: 0, count: 16384)
        let received = try UnixSocket.receive(from: connection.socket, into: &buffer)
        guard let received else {
            try poller.rearm(connection.socket, token: token)
            return
        }
        connection.descriptors += received.descriptors
        if received.count == 0 {
            drop(token)
            // A client that only looks whether the agent is there says nothing.
            if connection.message.text.isEmpty, connection.descriptors.isEmpty { return }
            adopt(connection, ListenerOrigin(), complaint: "it is not complete")
            return
        }
        switch connection.message.append(buffer[..<received.count]) {
        case .incomplete: try poller.rearm(connection.socket, token: token)
        case .complete(let origin):
            drop(token)
            adopt(connection, origin, complaint: nil)
        case .garbled(let reason):
            drop(token)
            adopt(connection, ListenerOrigin(), complaint: reason)
        }
    }

    /// Serves the notify descriptors of a connection, also of one whose message makes no
    /// sense: whoever calls there waits already, and closing them would make the calls fail.
    private func adopt(_ connection: Connection, _ origin: ListenerOrigin, complaint: String?) {
        if let complaint { log.warning("seccomp socket: a message is not used: \(complaint)") }
        var count = 0
        for held in connection.descriptors where SeccompNotify.isListener(held.descriptor) {
            count += 1
            let listener = listeners.add(held, origin)
            do {
                try serve(listener)
                log.debug("listening for \(origin.id ?? "an unknown container")")
            } catch {
                log.error("seccomp listener: \(error)")
                listeners.remove(listener)
            }
        }
        if count == 0 {
            log.warning(
                "seccomp socket: no notify descriptor from \(origin.id ?? "a runtime")")
        }
    }

    /// Has the calls of `listener` reported from now on.
    func serve(_ listener: AgentListener) throws(SystemError) {
        SeccompNotify.wakeHere(listener.descriptor)
        try poller.addOnce(listener.descriptor, token: listener.token)
    }
}
