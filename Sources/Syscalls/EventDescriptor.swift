import CLinux
import Glibc

/// eventfd(2): one thread tells another that there is something to do.
public enum EventDescriptor {
    public static func make() throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try check(clinux_eventfd(), "make an", "eventfd"))
    }

    public static func signal(_ event: borrowing FileDescriptor) {
        var one: UInt64 = 1
        // Fails only when 2^64 signals are pending; then the other side is awake anyway.
        _ = write(event.raw, &one, MemoryLayout<UInt64>.size)
    }

    /// Waits until signalled, and takes the signal.
    ///
    /// - Parameter deadline: on the monotonic clock, in nanoseconds: waits no longer than until
    ///   then, to the millisecond after.
    public static func wait(_ event: borrowing FileDescriptor, until deadline: UInt64? = nil) {
        var request = pollfd(fd: event.raw, events: Int16(POLLIN), revents: 0)
        while true {
            var timeout: CInt = -1
            if let deadline {
                let now = Clock.monotonic()
                if now >= deadline { return }
                timeout = CInt(min((deadline - now) / 1_000_000 + 1, 60_000))
            }
            if poll(&request, 1, timeout) >= 1 { break }
        }
        var value: UInt64 = 0
        _ = Glibc.read(event.raw, &value, MemoryLayout<UInt64>.size)
    }
}
