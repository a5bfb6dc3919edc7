import Glibc
import KernelText
import Syscalls

/// The numbers of a thread in its pid namespaces: `NSpid` in `/proc/<pid>/status`
/// (proc_pid_status(5)), which begins with that in the namespace of the procfs.
public struct NamespacePIDs: Equatable, Sendable {
    /// How many there are: 1 for a thread in the namespace of the procfs itself.
    public let depth: Int
    /// The one in the thread's own namespace.
    public let innermost: Int
    /// The one in the namespace that was asked for; nil if the thread is not in it.
    public let asked: Int?

    /// - Parameters:
    ///   - task: its number in the namespace of `proc`.
    ///   - level: the depth of the namespace that is asked for.
    /// - Returns: nil when the thread has ended.
    public init?(
        of task: Int32, atDepth level: Int? = nil, _ proc: borrowing FileDescriptor,
        _ scratch: Scratch
    ) {
        guard let file = try? proc.open(at: "\(task)/status"),
            let text = try? scratch.read(file.raw, single: true)
        else { return nil }
        self.init(status: text, atDepth: level)
    }

    init?(status text: Bytes, atDepth level: Int?) {
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
