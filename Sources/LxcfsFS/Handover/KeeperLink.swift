import Control
import FoundationEssentials
import Glibc
import Syscalls

/// A worker's connection to its keeper, or a keeper's to a worker.
public final class KeeperLink: Sendable {
    package let socket: MessageSocket

    package init(_ descriptor: consuming FileDescriptor) { socket = MessageSocket(descriptor) }

    package func send(
        _ kind: KeeperMessage.Kind, name: String? = nil, payload: String? = nil,
        descriptor: CInt = -1, waits: Bool = true
    ) throws(SystemError) {
        let message = KeeperMessage(kind: kind, name: name, payload: payload)
        try socket.send(encodeLine(message), descriptor, waits: waits)
    }

    /// What comes over the link; the descriptor has to be closed.
    package struct Incoming {
        package let message: KeeperMessage
        package let descriptor: CInt?
    }

    /// What the other side has sent before its end. Does not wait for more: that end may not
    /// come, see ``Keeper/abandon(_:_:)``.
    ///
    /// - Returns: nil when there is nothing left.
    package func receiveRest() throws(SystemError) -> Incoming? {
        let number = socket.descriptor.raw
        guard fcntl(number, F_SETFL, O_NONBLOCK) == 0 else {
            throw SystemError("stop waiting for", "the other process", errno: errno)
        }
        do {
            return try receive()
        } catch {
            if error.errno == EAGAIN { return nil }
            throw error
        }
    }

    /// Waits for a message; nil when the other side is gone.
    package func receive() throws(SystemError) -> Incoming? {
        guard let raw = try socket.receive() else { return nil }
        do {
            return Incoming(
                message: try JSONDecoder().decode(KeeperMessage.self, from: Data(raw.bytes)),
                descriptor: raw.descriptor)
        } catch {
            if let descriptor = raw.descriptor { close(descriptor) }
            throw SystemError("understand", "a message of the other process", errno: EPROTO)
        }
    }

    // MARK: - For parts of the worker with descriptors of their own

    /// Has the keeper keep a copy of a descriptor, so that the next worker gets it in
    /// ``WorkerSetup/kept``. One that was kept under the name before is replaced.
    ///
    /// - Parameters:
    ///   - name: of the part's own choice, such as `seccomp:<container id>`.
    ///   - payload: handed back together with it; at most 8 kB.
    public func keep(
        _ descriptor: borrowing FileDescriptor, name: String, payload: String = ""
    ) throws(SystemError) {
        guard payload.utf8.count <= 8192 else {
            throw SystemError("keep", name, errno: EMSGSIZE)
        }
        try send(.keep, name: name, payload: payload, descriptor: descriptor.raw)
    }

    /// The keeper need not keep the descriptor any more.
    public func forget(name: String) throws(SystemError) {
        try send(.forget, name: name)
    }
}
