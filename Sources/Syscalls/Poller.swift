import CLinux
import Glibc

/// epoll(7), level-triggered, for reading. Any thread may add descriptors.
public final class Poller: Sendable {
    private let descriptor: FileDescriptor

    public init() throws(SystemError) {
        descriptor = FileDescriptor(
            owning: try check(clinux_epoll_create(), "make an", "epoll instance"))
    }

    /// - Parameter token: what ``wait(timeout:)`` returns when `file` is readable.
    public func add(_ file: borrowing FileDescriptor, token: UInt64) throws(SystemError) {
        _ = try check(
            clinux_epoll_add(descriptor.raw, file.raw, token), "watch",
            "descriptor \(file.raw)")
    }

    /// - Parameter token: what ``wait(timeout:)`` returns when `file` has an exceptional
    ///   condition, such as an event of a pressure trigger, or an error.
    public func addPriority(_ file: borrowing FileDescriptor, token: UInt64)
        throws(SystemError)
    {
        _ = try check(
            clinux_epoll_add_priority(descriptor.raw, file.raw, token), "watch",
            "descriptor \(file.raw)")
    }

    public func remove(_ file: borrowing FileDescriptor) throws(SystemError) {
        _ = try check(
            clinux_epoll_remove(descriptor.raw, file.raw), "stop watching",
            "descriptor \(file.raw)")
    }

    /// The token of one descriptor that is readable; nil after `timeout` milliseconds (-1
    /// waits for ever) or a signal.
    public func wait(timeout: CInt) throws(SystemError) -> UInt64? {
        try next(timeout: timeout)?.token
    }

    /// Watches `file` for one event. After it, nothing more is reported until
    /// ``rearm(_:token:)``: of several waiting threads only one deals with it.
    public func addOnce(_ file: borrowing FileDescriptor, token: UInt64) throws(SystemError) {
        _ = try check(
            clinux_epoll_add_once(descriptor.raw, file.raw, token), "watch",
            "descriptor \(file.raw)")
    }

    public func rearm(_ file: borrowing FileDescriptor, token: UInt64) throws(SystemError) {
        _ = try check(
            clinux_epoll_rearm(descriptor.raw, file.raw, token), "watch again",
            "descriptor \(file.raw)")
    }

    /// What a descriptor that was added with ``addOnce(_:token:)`` has to say.
    public struct Event: Sendable {
        public let token: UInt64
        public let isReadable: Bool
        /// The other side is gone.
        public let isHungUp: Bool
    }

    /// As ``wait(timeout:)``.
    public func next(timeout: CInt) throws(SystemError) -> Event? {
        var token: UInt64 = 0
        var readable: CInt = 0
        var hungUp: CInt = 0
        let result = clinux_epoll_wait(descriptor.raw, &token, &readable, &hungUp, timeout)
        if result == -EINTR { return nil }
        guard try check(result, "wait on", "epoll instance") == 1 else { return nil }
        return Event(token: token, isReadable: readable != 0, isHungUp: hungUp != 0)
    }
}
