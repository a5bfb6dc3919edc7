import KernelText
import ProcView
import Syscalls

/// The host's `/proc/meminfo`, parsed once for all containers.
final class HostMeminfo: @unchecked Sendable {
    let file: HostFile
    private let window: UInt64
    /// What the text of `version` says. Only touched while `file` lends its text.
    private var memory = HostMemory()
    private var version: UInt64?

    /// - Parameters:
    ///   - root: of a procfs.
    ///   - window: how old the text may be, in nanoseconds.
    init(in root: borrowing FileDescriptor, window: UInt64) throws(SystemError) {
        file = try HostFile("meminfo", in: root, single: true)
        self.window = window
    }

    /// Calls `body` with the text and what it says.
    func with<Value>(
        now: UInt64, _ body: (Bytes, HostMemory) -> Value
    ) throws(SystemError) -> Value {
        try file.withVersion(now: now, maxAge: window) { text, version in
            if version != self.version {
                memory = HostMemory(meminfo: text)
                self.version = version
            }
            return body(text, memory)
        }
    }
}
