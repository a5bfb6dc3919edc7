import Glibc
import JSON
import Syscalls

/// Asks the daemon over its control socket.
public struct ControlClient: Sendable {
    /// Path of the Unix socket.
    public let socket: String
    /// How long to wait for the daemon, in milliseconds.
    public let timeout: Int32

    public init(socket: String, timeout: Int32 = 2000) {
        self.socket = socket
        self.timeout = timeout
    }

    /// Sends one request and waits for its reply. When the daemon's worker dies over it, the
    /// next one is asked; every request may be repeated.
    public func send(_ request: Request) throws(ControlError) -> Reply {
        let line = encodeLine(request)
        let deadline = Clock.monotonic() + UInt64(max(timeout, 0)) * 1_000_000
        while true {
            do {
                return try sendOnce(line)
            } catch {
                guard error.isWorkersDeath, Clock.monotonic() < deadline else { throw error }
                usleep(10_000)
            }
        }
    }

    private func sendOnce(_ line: [UInt8]) throws(ControlError) -> Reply {
        let connection: FileDescriptor
        do {
            connection = try UnixSocket.connect(socket, timeout: timeout)
        } catch {
            throw .absent(error)
        }
        let answer: [UInt8]
        do {
            try connection.write(line, path: socket)
            // The daemon closes the connection after its one line.
            answer = try connection.readToEnd(path: socket)
        } catch {
            throw .broken(error)
        }
        if answer.isEmpty { throw .broken(SystemError("read from", socket, errno: ECONNRESET)) }
        let reply: Reply
        do {
            reply = try Reply(JSONText(answer, keepsUnknown: false).root)
        } catch {
            throw .garbled("\(error)")
        }
        if let reason = reply.error { throw .refused(reason) }
        return reply
    }
}
