import CLinux
import Glibc

/// Signals as something to read (signalfd(2)). They are blocked in the calling thread and
/// in those that it starts later.
public struct SignalDescriptor: ~Copyable {
    public let descriptor: FileDescriptor

    public init(_ signals: [CInt]) throws(SystemError) {
        let result = clinux_signalfd(signals, CInt(signals.count))
        descriptor = FileDescriptor(owning: try check(result, "make a", "signalfd"))
    }

    /// The next signal; nil when none is pending.
    public func next() throws(SystemError) -> CInt? {
        let result = clinux_signalfd_read(descriptor.raw)
        if result == -EAGAIN { return nil }
        return try check(result, "read from", "signalfd")
    }
}
