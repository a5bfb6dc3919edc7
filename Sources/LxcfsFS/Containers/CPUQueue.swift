import Glibc
import KernelText
import Syscalls

/// How many threads of the host want to run, for what must give others the time to do so.
final class CPUQueue: Sendable {
    private let loadavg: HostFile
    private let cpus: UInt64

    /// - Parameter loadavg: the host's.
    init(_ loadavg: HostFile) {
        self.loadavg = loadavg
        cpus = UInt64(max(sysconf(CInt(_SC_NPROCESSORS_ONLN)), 1))
    }

    /// How long a thread may have to wait for its turn at this moment, in nanoseconds; a guess, for
    /// priorities and quotas count, too.
    @Sendable func wait() -> UInt64 {
        do {
            let running = try loadavg.withText(now: Clock.monotonic(), maxAge: 1_000_000) {
                Self.running($0)
            }
            return (running / cpus).multipliedReportingOverflow(by: Self.slice).partialValue
        } catch {
            // Only a guess is missing.
            return 0
        }
    }

    /// About what the scheduler gives a thread before the next one gets its turn: a tick at 250 Hz.
    private static let slice: UInt64 = 4_000_000

    /// The number before the slash (proc_loadavg(5)), which the asking thread is one of.
    static func running(_ text: Bytes) -> UInt64 {
        let slash = text.firstIndex(of: UInt8(ascii: "/"), from: 0)
        var start = slash
        while start > 0, text[start - 1] != UInt8(ascii: " ") { start -= 1 }
        var digits = Scanner(text.part(start..<slash))
        return clampedDifference(digits.number() ?? 1, 1)
    }
}
