import CLinux
import Glibc

/// Stream sockets in the filesystem (unix(7)).
public enum UnixSocket {
    /// A listening, non-blocking socket whose file has `mode` from its first moment on.
    public static func listen(
        _ path: String, mode: mode_t, backlog: CInt = 64
    ) throws(SystemError) -> FileDescriptor {
        let operation = "listen on"
        let address = try UnixAddress(path, operation)
        let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let listener = FileDescriptor(
            owning: try attempting(operation, path) { socket(AF_UNIX, type, 0) })
        // fchmod before bind sets the mode that bind creates the file with, so that there is
        // no moment in which others may connect.
        _ = try attempting(operation, path) { fchmod(listener.raw, mode) }
        _ = try attempting(operation, path) {
            address.withPointer { bind(listener.raw, $0, address.size) }
        }
        _ = try attempting(operation, path) { Glibc.listen(listener.raw, backlog) }
        return listener
    }

    /// A connected, blocking socket on which sending and receiving fail with `EAGAIN` after
    /// `timeout` milliseconds.
    public static func connect(
        _ path: String, timeout: CInt
    ) throws(SystemError) -> FileDescriptor {
        let operation = "connect to"
        let address = try UnixAddress(path, operation)
        let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let connection = FileDescriptor(
            owning: try attempting(operation, path) { socket(AF_UNIX, type, 0) })
        // SO_SNDTIMEO also bounds connect(2) while the backlog is full.
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            _ = try attempting(operation, path) {
                setTimeout(of: connection, option, milliseconds: timeout)
            }
        }
        _ = try attempting(operation, path) {
            address.withPointer { Glibc.connect(connection.raw, $0, address.size) }
        }
        return connection
    }

    /// accept4(2), non-blocking; nil when nobody waits.
    public static func accept(
        _ listener: borrowing FileDescriptor
    ) throws(SystemError) -> FileDescriptor? {
        let flags = CInt(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        do {
            return FileDescriptor(
                owning: try attempting("accept on", "descriptor \(listener.raw)") {
                    accept4(listener.raw, __SOCKADDR_ARG(__sockaddr__: nil), nil, flags)
                })
        } catch let error where [EAGAIN, ECONNABORTED, EINTR].contains(error.errno) {
            return nil
        }
    }

    /// One recvmsg(2) from a non-blocking socket, with the descriptors that were sent along
    /// (`SCM_RIGHTS`).
    ///
    /// - Returns: nil when there is nothing yet; `count` 0 is the end.
    public static func receive(
        from socket: borrowing FileDescriptor, into buffer: inout [UInt8]
    ) throws(SystemError) -> (count: Int, descriptors: [HeldDescriptor])? {
        var numbers = [CInt](repeating: -1, count: Int(CLINUX_DESCRIPTORS))
        var received = 0
        let result = clinux_receive(
            socket.raw, &buffer, buffer.count, &numbers, numbers.count, &received)
        if result == -Int(EAGAIN) || result == -Int(EINTR) { return nil }
        let count = try check(result, "receive from", "descriptor \(socket.raw)")
        return (
            count,
            numbers.prefix(received).map { HeldDescriptor(FileDescriptor(owning: $0)) }
        )
    }

    public static func peer(
        of socket: borrowing FileDescriptor
    ) throws(SystemError) -> PeerCredentials {
        var peer = ucred()
        var size = socklen_t(MemoryLayout<ucred>.size)
        _ = try attempting("identify the peer of", "descriptor \(socket.raw)") {
            getsockopt(socket.raw, SOL_SOCKET, SO_PEERCRED, &peer, &size)
        }
        return PeerCredentials(pid: peer.pid, uid: peer.uid, gid: peer.gid)
    }

    /// setsockopt(2) of `SO_SNDTIMEO` or `SO_RCVTIMEO`.
    static func setTimeout(
        of socket: borrowing FileDescriptor, _ option: CInt, milliseconds: CInt
    ) -> CInt {
        var limit = timeval(
            tv_sec: Int(milliseconds / 1000), tv_usec: Int(milliseconds % 1000) * 1000)
        let size = socklen_t(MemoryLayout<timeval>.size)
        return setsockopt(socket.raw, SOL_SOCKET, option, &limit, size)
    }
}
