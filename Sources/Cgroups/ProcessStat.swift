import Glibc
import KernelText
import Syscalls

/// The parts of `/proc/<pid>/stat` that matter here (proc_pid_stat(5)).
public struct ProcessStat: Equatable, Sendable {
    /// `R`, `S`, `D`, ...
    public let state: UInt8
    public let parent: Int32
    /// When the process started, in clock ticks since boot.
    public let startTime: UInt64

    /// The same in nanoseconds.
    public var startedAt: UInt64 {
        startTime.multipliedReportingOverflow(by: Clock.nanosecondsPerTick).partialValue
    }

    /// Parses from the last `)`: the name before it may hold anything, `)` included.
    public init?(parsing text: Bytes) {
        let after = text.indexAfterLast(UInt8(ascii: ")"))
        guard after > 0 else { return nil }
        var words = Scanner(text.part(after..<text.count))
        guard let state = words.word()?.first, let parent = words.number() else { return nil }
        // Field 22; state is 3, the parent 4. Some of those between may be negative.
        for _ in 5..<22 {
            guard words.word() != nil else { return nil }
        }
        guard let start = words.number() else { return nil }
        self.state = state
        self.parent = Int32(clamping: parent)
        startTime = start
    }
}
