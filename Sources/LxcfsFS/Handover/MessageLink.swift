import Control
import Glibc
import JSON
import Syscalls

/// One end of the connection between a keeper and a worker: lines of JSON, some with a
/// descriptor. ``KeeperEnd`` and ``WorkerEnd`` say what the lines mean.
struct MessageLink: ~Copyable, Sendable {
    private let socket: MessageSocket

    init(_ descriptor: consuming FileDescriptor) { socket = MessageSocket(descriptor) }

    /// To be watched.
    var descriptor: FileDescriptor { _read { yield socket.descriptor } }

    /// A line and what came with it. Unless the receiver takes the descriptor, it is closed.
    struct Received: ~Copyable {
        let line: MessageLine
        let descriptor: FileDescriptor?

        /// What is said with a `keep`.
        ///
        /// - Returns: nil if something of it is missing or too long.
        consuming func named() -> NamedDescriptor? {
            let payload = line.payload ?? ""
            guard let name = line.name, name.utf8.count <= NamedDescriptor.nameLimit,
                payload.utf8.count <= NamedDescriptor.payloadLimit, let descriptor
            else { return nil }
            return NamedDescriptor(name: name, payload: payload, descriptor)
        }

        /// How a log names what is not understood. The words are the other side's, and so
        /// they are cut and quoted.
        var summary: String {
            "a message \(String(line.kind.prefix(32)).debugDescription) that is not understood"
        }
    }

    /// - Parameters:
    ///   - descriptor: a number to send along; -1 for none.
    ///   - waits: for the other side to take what it has been sent, if that is a lot. Otherwise
    ///     fails with `EAGAIN` then.
    func send(
        _ line: MessageLine, _ descriptor: CInt = -1, waits: Bool = true
    ) throws(SystemError) {
        try socket.send(encodeLine(line), descriptor, waits: waits)
    }

    /// Waits for a line; nil when the other side is gone.
    ///
    /// - Throws: `SystemError`; `DaemonError` if what has come is no line.
    func receive() throws -> Received? {
        guard let raw = try socket.receive() else { return nil }
        let descriptor = raw.descriptor.map { FileDescriptor(owning: $0) }
        let line: MessageLine
        do {
            line = try MessageLine(JSONText(raw.bytes, keepsUnknown: false).root)
        } catch {
            throw DaemonError("a message of the other process is garbled: \(error)")
        }
        return Received(line: line, descriptor: descriptor)
    }

    /// As ``receive()``, but does not wait: nil also when there is nothing more.
    func receiveRest() throws -> Received? {
        guard fcntl(descriptor.raw, F_SETFL, O_NONBLOCK) == 0 else {
            throw SystemError("stop waiting for", "the other process", errno: errno)
        }
        do {
            return try receive()
        } catch let error as SystemError where error.errno == EAGAIN {
            return nil
        }
    }
}
