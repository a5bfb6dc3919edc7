import Glibc
import Syscalls

/// A script in the place of the real runtime that starts this program again: it bears no mark.
enum ScriptCircle {
    /// Processor time after which a process that becomes a script, this program, the script, ... is
    /// taken to have done only that. One round takes some milliseconds.
    private static let enough: UInt64 = 1_000_000_000

    /// Whether the file is a script that has started this process.
    static func isClosed(by path: String) -> Bool {
        guard isScript(path) else { return false }
        // By execve(2), in this process.
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        if UInt64(clamping: time.tv_sec) * 1_000_000_000 + UInt64(clamping: time.tv_nsec)
            > enough
        {
            return true
        }
        // As a child: the interpreter, perhaps an option, the script.
        let parent = RuntimeArguments.ofParent()?.words.prefix(3) ?? []
        return parent.contains { $0 == path }
    }

    private static func isScript(_ path: String) -> Bool {
        guard let file = try? FileDescriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY) else {
            return false
        }
        var start: (UInt8, UInt8) = (0, 0)
        return withUnsafeMutableBytes(of: &start) { read(file.raw, $0.baseAddress, 2) } == 2
            && start == (UInt8(ascii: "#"), UInt8(ascii: "!"))
    }
}
