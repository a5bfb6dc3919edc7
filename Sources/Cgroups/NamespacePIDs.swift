import Glibc
import KernelText
import Syscalls

/// The numbers of a process in its pid namespaces, for kernels before 6.11, which have no call for
/// them: `NSpid` of a pidfd in `/proc/self/fdinfo` (pidfd_open(2)), or of `/proc/<tid>/status`
/// (proc_pid_status(5)). It begins with the number in the namespace of the procfs.
public struct NamespacePIDs: Equatable, Sendable {
    /// How many there are: 1 for a thread in the namespace of the procfs itself.
    public let depth: Int
    /// The one in the thread's own namespace.
    public let innermost: Int
    /// The one in the namespace that was asked for; nil if the thread is not in it.
    public let asked: Int?

    /// Of a process. What is read is short, whatever the process does.
    ///
    /// - Parameters:
    ///   - process: its number in the namespace of `proc`, which is ours.
    ///   - level: the depth of the namespace that is asked for.
    /// - Returns: nil when the process has ended, or `process` is one of its other threads.
    public init?(
        ofProcess process: Int32, atDepth level: Int? = nil, _ proc: borrowing FileDescriptor,
        _ scratch: Scratch
    ) {
        guard let process = try? openProcess(process),
            let file = try? proc.open(at: "self/fdinfo/\(process.raw)"),
            let text = try? scratch.read(file.raw, single: true, limit: Self.longest)
        else { return nil }
        self.init(text, atDepth: level)
    }

    /// Of any thread, from a file that may be of any length: its supplementary groups come first.
    /// The kernel makes all of it, also for one who reads a part.
    ///
    /// - Returns: nil when the thread has ended, or (`isTooLong`) the numbers are too far behind.
    init?(
        ofThread thread: Int32, atDepth level: Int?, _ proc: borrowing FileDescriptor,
        _ scratch: Scratch, isTooLong: inout Bool
    ) {
        guard let file = try? proc.open(at: "\(thread)/status"),
            let text = try? scratch.read(file.raw, single: true, limit: Self.longest)
        else { return nil }
        if text.count >= Self.longest {
            isTooLong = true
            return nil
        }
        self.init(text, atDepth: level)
    }

    /// Bytes. Usual ones have 1,500.
    private static let longest = 4096

    init?(_ text: Bytes, atDepth level: Int?) {
        var lines = Scanner(text)
        while let line = lines.line() {
            guard line.starts(with: "NSpid:") else { continue }
            var words = Scanner(line.part(6..<line.count))
            var count = 0
            var last: UInt64?
            var asked: UInt64?
            while let number = words.number() {
                count += 1
                last = number
                if count == level { asked = number }
            }
            guard let last else { return nil }
            depth = count
            innermost = Int(clamping: last)
            self.asked = asked.map { Int(clamping: $0) }
            return
        }
        return nil
    }
}
