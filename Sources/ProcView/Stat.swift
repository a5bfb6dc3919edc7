import KernelText
import Syscalls

/// `/proc/stat` of a container (proc_stat(5)).
///
/// The cpu lines show the container's CPU time, those of single CPUs by the kernel's numbers
/// of the visible ones, as if all others were offline; the kernel's columns that a container has
/// no numbers for (nice, iowait, irq, ...) are 0. `intr` and `softirq` keep their columns
/// with the value 0. `btime` is the host's, or that of the container's own time namespace: the
/// start of a process is that plus the ticks of `/proc/<pid>/stat`, which count from the same
/// moment.
public struct Stat {
    public var ledger: CPULedger
    /// Processes started since the container started, as far as it is known.
    public var processes: UInt64
    public var running: UInt64
    public var blocked: UInt64
    /// nil for a container in the host's time namespace.
    public var bootTime: BootTime?

    public init(
        ledger: CPULedger, processes: UInt64, running: UInt64, blocked: UInt64,
        bootTime: BootTime? = nil
    ) {
        self.bootTime = bootTime
        self.ledger = ledger
        self.processes = processes
        self.running = running
        self.blocked = blocked
    }

    /// - Parameter text: the host's `/proc/stat`.
    public func render(host text: Bytes, into out: TextBuffer) {
        var lines = Scanner(text)
        var cpuLinesDone = false
        while let line = lines.line() {
            var words = Scanner(line)
            guard let name = words.word() else { continue }
            if name.starts(with: "cpu") {
                if cpuLinesDone { continue }
                cpuLinesDone = true
                renderCPUs(columns: countWords(&words), into: out)
                continue
            }
            out.append(name)
            if name.equals("btime") {
                let host = words.number() ?? 0
                one(bootTime?.seconds(host: host) ?? host, out)
            } else if name.equals("processes") {
                one(processes, out)
            } else if name.equals("procs_running") {
                one(running, out)
            } else if name.equals("procs_blocked") {
                one(blocked, out)
            } else {
                for _ in 0..<countWords(&words) { out.append(" 0") }
            }
            out.append(newline)
        }
    }

    private func one(_ value: UInt64, _ out: TextBuffer) {
        out.append(space)
        out.append(number: value)
    }

    private func countWords(_ words: inout Scanner) -> Int {
        var count = 0
        while words.word() != nil { count += 1 }
        return count
    }

    private func renderCPUs(columns: Int, into out: TextBuffer) {
        // The kernel separates the sum from its numbers by two spaces.
        out.append("cpu ")
        renderEntry(ledger.total, columns, out)
        for position in ledger.visible where position < ledger.cpus.count {
            out.append("cpu")
            out.append(number: UInt64(ledger.cpus[position]))
            renderEntry(ledger.entries[position], columns, out)
        }
    }

    private func renderEntry(_ entry: CPULedger.Entry, _ columns: Int, _ out: TextBuffer) {
        for column in 0..<columns {
            out.append(space)
            let nanoseconds =
                switch column {
                case 0: entry.user
                case 2: entry.system
                case 3: entry.idle
                default: UInt64(0)
                }
            out.append(number: nanoseconds / Clock.nanosecondsPerTick)
        }
        out.append(newline)
    }
}

/// The host's own `/proc/stat` as a process in another time namespace reads it.
///
/// - Parameter text: the host's file.
public func renderHostStat(_ bootTime: BootTime, host text: Bytes, into out: TextBuffer) {
    var lines = Scanner(text)
    while let line = lines.line() {
        var words = Scanner(line)
        if let name = words.word(), name.equals("btime"), let host = words.number() {
            out.append(name)
            out.append(space)
            out.append(number: bootTime.seconds(host: host))
        } else {
            out.append(line)
        }
        out.append(newline)
    }
}
