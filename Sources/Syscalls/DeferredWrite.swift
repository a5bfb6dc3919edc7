import CLinux
import Glibc

/// A write(2) that a process of its own does when it is asked to, or when this one has ended,
/// however it ends: for what must be taken back in any case.
public struct DeferredWrite: ~Copyable {
    private let gate: FileDescriptor
    private let writer: pid_t
    private let path: String

    /// - Parameters:
    ///   - path: names the file in errors.
    ///   - patience: milliseconds. If it has not been asked by then, this process is killed, and the
    ///     text written: it may wait in the kernel for what does not come, where even SIGKILL does
    ///     not end it.
    public init(
        _ text: String, to file: borrowing FileDescriptor, path: String,
        patience: CInt = 3_600_000
    ) throws(SystemError) {
        var gate: CInt = -1
        var text = text
        let result = text.withUTF8 {
            clinux_write_later(file.raw, $0.baseAddress, $0.count, patience, &gate)
        }
        writer = try check(result, "prepare to write", path)
        self.gate = FileDescriptor(owning: gate)
        self.path = path
    }

    /// Has it written now.
    public consuming func perform() throws(SystemError) {
        let (writer, path) = (writer, path)
        do {
            // Open no longer than this.
            _ = consume gate
        }
        let code = try check(clinux_wait(writer), "wait for who writes", path)
        if code != 0 { throw SystemError("write", path, errno: code) }
    }
}
