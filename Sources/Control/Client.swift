import Glibc
import JSON
import Syscalls

/// Where daemon and hook meet unless told otherwise.
public enum Defaults {
    /// Sockets, state files and the pid file of the daemon.
    public static let runtimeDirectory = "/run/lxcfs"

    /// The control socket in a runtime directory.
    public static func controlSocket(in runtimeDirectory: String) -> String {
        runtimeDirectory + "/control.sock"
    }

    /// The socket of the seccomp agent in a runtime directory.
    public static func seccompSocket(in runtimeDirectory: String) -> String {
        runtimeDirectory + "/seccomp.sock"
    }
}

/// A request that brought no success.
public enum ControlError: Error, Equatable, CustomStringConvertible {
    /// Nobody serves the socket: no such file, or nobody listens.
    case absent(SystemError)
    /// The connection broke, or the daemon did not answer in time.
    case broken(SystemError)
    /// The answer was not a reply.
    case garbled(String)
    /// The daemon answered with an error.
    case refused(String)

    /// The connection was accepted, and closed without an answer.
    var isWorkersDeath: Bool {
        guard case .broken(let error) = self else { return false }
        return error.errno == ECONNRESET || error.errno == EPIPE
    }

    public var description: String {
        switch self {
        case .absent(let error): "the daemon is not running: \(error)"
        // What SO_RCVTIMEO and SO_SNDTIMEO end in (socket(7)).
        case .broken(let error) where error.errno == EAGAIN:
            "the daemon does not answer in time"
        case .broken(let error): "the daemon does not answer: \(error)"
        case .garbled(let detail): "the daemon's answer is not understood: \(detail)"
        case .refused(let reason): reason
        }
    }
}

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

/// A message as one line of JSON.
public func encodeLine(_ message: some FieldValue) -> [UInt8] {
    do {
        return try message.encode().encoded() + [UInt8(ascii: "\n")]
    } catch {
        // Only a value that JSON cannot hold (a NaN) fails; the messages have none.
        preconditionFailure("a control message cannot be encoded: \(error)")
    }
}
