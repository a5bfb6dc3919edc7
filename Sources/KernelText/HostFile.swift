import Glibc
import Syscalls

/// A file of the host's /proc or /sys, kept open, and read again only when what was read
/// last is older than the caller accepts. One reading serves all containers.
public final class HostFile: @unchecked Sendable {
    /// The path below its root, for messages.
    public let path: String
    private let descriptor: FileDescriptor
    private let single: Bool
    private let lock = Lock()
    private var buffer = Scratch(capacity: 4096)
    private var spare = Scratch(capacity: 4096)
    private var text = Bytes(start: nil, count: 0)
    private var readAt: UInt64?
    /// Counts how often the text has changed.
    private var version: UInt64 = 0

    /// - Parameters:
    ///   - root: the directory that `path` is relative to.
    ///   - single: as for ``Scratch/read(_:single:path:)``.
    public init(
        _ path: String, in root: borrowing FileDescriptor, single: Bool = false
    ) throws(SystemError) {
        self.path = path
        self.single = single
        do {
            descriptor = try root.open(at: path)
        } catch {
            throw SystemError("open the host's", path, errno: error.errno)
        }
    }

    /// Calls `body` with text that is at most `maxAge` nanoseconds old.
    ///
    /// - Parameter now: the current ``Clock/monotonic()`` time.
    public func withText<Value>(
        now: UInt64, maxAge: UInt64, _ body: (Bytes) -> Value
    ) throws(SystemError) -> Value {
        try withVersion(now: now, maxAge: maxAge) { text, _ in body(text) }
    }

    /// The same with a number that is another one whenever the text is.
    public func withVersion<Value>(
        now: UInt64, maxAge: UInt64, _ body: (Bytes, UInt64) -> Value
    ) throws(SystemError) -> Value {
        lock.lock()
        defer { lock.unlock() }
        if readAt.map({ clampedDifference(now, $0) >= maxAge }) ?? true {
            let latest = try spare.read(descriptor.raw, single: single, path: path)
            if !latest.equals(text) { version += 1 }
            text = latest
            swap(&buffer, &spare)
            readAt = now
        }
        return body(text, version)
    }
}
