import CLinux
import Glibc

/// Stream sockets in the filesystem (unix(7)).
public enum UnixSocket {
    /// A listening, non-blocking socket whose file has `mode` from its first moment on.
    public static func listen(
        _ path: String, mode: mode_t, backlog: CInt = 64
    ) throws(SystemError) -> FileDescriptor {
        let result = clinux_listen_unix(path, mode, backlog)
        return FileDescriptor(owning: try check(result, "listen on", path))
    }

    /// A connected, blocking socket on which sending and receiving fail with `EAGAIN` after
    /// `timeout` milliseconds.
    public static func connect(
        _ path: String, timeout: CInt
    ) throws(SystemError) -> FileDescriptor {
        let result = clinux_connect_unix(path, timeout)
        return FileDescriptor(owning: try check(result, "connect to", path))
    }

    /// accept4(2), non-blocking; nil when nobody waits.
    public static func accept(
        _ listener: borrowing FileDescriptor
    ) throws(SystemError) -> FileDescriptor? {
        let result = clinux_accept(listener.raw)
        if result == -EAGAIN || result == -ECONNABORTED || result == -EINTR { return nil }
        let number = try check(result, "accept on", "descriptor \(listener.raw)")
        return FileDescriptor(owning: number)
    }

    /// One recvmsg(2) from a non-blocking socket, with the descriptors that were sent along
    /// (`SCM_RIGHTS`).
    ///
    /// - Returns: nil when there is nothing yet; `count` 0 is the end.
    public static func receive(
        from socket: borrowing FileDescriptor, into buffer: inout [UInt8]
    ) throws(SystemError) -> (count: Int, descriptors: [HeldDescriptor])? {
        var numbers = [CInt](repeating: -1, count: 16)
        var received: CInt = 0
        let result = clinux_receive_stream(
            socket.raw, &buffer, buffer.count, &numbers, CInt(numbers.count), &received)
        if result == -EAGAIN || result == -EINTR { return nil }
        let count = try check(result, "receive from", "descriptor \(socket.raw)")
        return (
            count,
            numbers.prefix(Int(received)).map { HeldDescriptor(FileDescriptor(owning: $0)) }
        )
    }

    public static func peer(
        of socket: borrowing FileDescriptor
    ) throws(SystemError) -> PeerCredentials {
        var out = clinux_credentials()
        _ = try check(
            clinux_peer_credentials(socket.raw, &out), "identify the peer of",
            "descriptor \(socket.raw)")
        return PeerCredentials(pid: out.pid, uid: out.uid, gid: out.gid)
    }
}
