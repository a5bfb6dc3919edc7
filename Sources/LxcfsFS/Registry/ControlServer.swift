import Control
import Glibc
import JSON
import Logging
import Syscalls

/// The daemon's side of the control socket: one request and one reply per connection.
///
/// Runs on the main thread, driven by its poller, and never waits for a client: one that says
/// nothing or reads nothing only loses its own connection.
final class ControlServer {
    private final class Connection {
        let socket: FileDescriptor
        let deadline: UInt64
        var received: [UInt8] = []

        init(_ socket: consuming FileDescriptor, deadline: UInt64) {
            self.socket = socket
            self.deadline = deadline
        }
    }

    let path: String
    private let listener: FileDescriptor
    private let log: Logger
    /// Called when there are no descriptors left, to get some.
    private let releaseDescriptors: () -> Void
    private var connections: [UInt64: Connection] = [:]
    /// Of the next connection.
    private var nextNumber: UInt64 = 1

    /// Bytes of a request.
    private static let sizeLimit = 64 << 10
    /// Connections at one time.
    private static let countLimit = 128
    /// Nanoseconds from connecting to the end of the request.
    private static let timeLimit: UInt64 = 5_000_000_000

    /// - Parameter listener: the socket, which listens and does not block.
    init(
        listener: consuming FileDescriptor, path: String, log: Logger,
        releaseDescriptors: @escaping () -> Void = {}
    ) {
        self.releaseDescriptors = releaseDescriptors
        self.path = path
        self.log = log
        self.listener = listener
    }

    func start(_ poller: Poller) throws(SystemError) {
        try poller.add(listener, token: Wakeup.control(Self.listenerNumber).token)
    }

    private static let listenerNumber: UInt64 = 0

    /// When the next connection has to be given up, on the monotonic clock.
    var nextDeadline: UInt64? { connections.values.map(\.deadline).min() }

    /// Does what the readiness of a socket allows.
    ///
    /// - Parameters:
    ///   - number: that of ``Wakeup/control(_:)``.
    ///   - answer: called for a complete request.
    func handle(
        _ number: UInt64, _ poller: Poller, answer: (Request) -> Reply
    ) {
        do {
            if number == Self.listenerNumber {
                try accept(poller)
            } else if let connection = connections[number] {
                try receive(connection, number, answer)
            }
        } catch {
            log.warning("control socket: \(error)")
            connections[number] = nil
            if error.isOutOfDescriptors {
                releaseDescriptors()
                // Whoever could not be accepted is still there.
                usleep(10_000)
            }
        }
    }

    /// Closes the connections whose time is over.
    func expire(now: UInt64) {
        connections = connections.filter { $0.value.deadline > now }
    }

    private func accept(_ poller: Poller) throws(SystemError) {
        guard let socket = try UnixSocket.accept(listener) else { return }
        // The mode of the file keeps others out; this also holds for a descriptor that has
        // been handed on.
        guard try UnixSocket.peer(of: socket).uid == 0 else {
            log.warning("control socket: refused a peer that is not root")
            return
        }
        if connections.count >= Self.countLimit,
            let oldest = connections.min(by: { $0.value.deadline < $1.value.deadline })
        {
            connections[oldest.key] = nil
        }
        try poller.add(socket, token: Wakeup.control(nextNumber).token)
        connections[nextNumber] = Connection(
            socket, deadline: Clock.monotonic() + Self.timeLimit)
        nextNumber += 1
    }

    private func receive(
        _ connection: Connection, _ number: UInt64, _ answer: (Request) -> Reply
    ) throws(SystemError) {
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(connection.socket.raw, &chunk, chunk.count)
        if count < 0 {
            if errno == EAGAIN || errno == EINTR { return }
            throw SystemError("read from", path, errno: errno)
        }
        if count == 0 {
            connections[number] = nil
            return
        }
        connection.received.append(contentsOf: chunk[..<count])
        if let end = connection.received.firstIndex(of: UInt8(ascii: "\n")) {
            connections[number] = nil
            try send(reply(to: connection.received[..<end], answer), to: connection)
        } else if connection.received.count > Self.sizeLimit {
            connections[number] = nil
            try send(Reply(error: "the request is too long"), to: connection)
        }
    }

    private func reply(to line: ArraySlice<UInt8>, _ answer: (Request) -> Reply) -> Reply {
        do {
            return answer(try Request(JSONText(Array(line), keepsUnknown: false).root))
        } catch {
            return Reply(error: "the request is not understood: \(error)")
        }
    }

    private func send(_ reply: Reply, to connection: Connection) throws(SystemError) {
        // A list of many containers is more than a socket holds. The client is root and
        // reads; one that does not loses its answer after a moment.
        let raw = connection.socket.raw
        _ = fcntl(raw, F_SETFL, 0)
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(
            raw, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        try connection.socket.write(encodeLine(reply), path: path)
    }
}
