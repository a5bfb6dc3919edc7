import Cgroups
import KernelText
import Syscalls

/// A file that is the same for all containers with the same CPUs, rendered only when the
/// host's file has changed.
final class SharedText: @unchecked Sendable {
    private let lock = Lock()
    private let text = TextBuffer()
    private var version: UInt64?
    private var cpus: CPUList?

    /// Appends the text for `wanted` to `out`.
    ///
    /// - Parameter render: makes it from the host's.
    func append(
        of file: HostFile, now: UInt64, maxAge: UInt64, for wanted: CPUList? = nil,
        to out: TextBuffer, render: (Bytes, TextBuffer) -> Void
    ) throws(SystemError) {
        lock.lock()
        defer { lock.unlock() }
        try file.withVersion(now: now, maxAge: maxAge) { host, current in
            guard version != current || cpus != wanted else { return }
            text.clear()
            render(host, text)
            version = current
            cpus = wanted
        }
        out.append(text.bytes)
    }
}
