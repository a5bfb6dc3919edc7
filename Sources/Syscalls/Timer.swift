import CLinux
import Glibc

/// timerfd_create(2) on the monotonic clock: one thread sets it, another waits for it.
public struct Timer: ~Copyable, Sendable {
    /// Readable from the time on that is set, until another one is.
    public let descriptor: FileDescriptor

    public init() throws(SystemError) {
        descriptor = FileDescriptor(owning: try check(clinux_timerfd(), "make a", "timerfd"))
    }

    /// Lets ``wait()`` return at `time`, in nanoseconds; at once if that is over. In a poller, what
    /// was over before this is forgotten.
    public func set(_ time: UInt64) {
        // 0 would disarm it.
        _ = clinux_timerfd_set(descriptor.raw, max(time, 1))
    }

    /// Waits until the time that is set, or will be set meanwhile, has come.
    public func wait() {
        var expirations: UInt64 = 0
        while Glibc.read(descriptor.raw, &expirations, MemoryLayout<UInt64>.size) < 0 {}
    }
}
