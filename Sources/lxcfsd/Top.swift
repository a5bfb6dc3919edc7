import ArgumentParser
import Glibc
import Reports
import Syscalls

struct Top: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what containers use, again and again.",
        discussion: """
            On a terminal: the first letter of an order sorts by it (c, m, l, p, u, i), space looks \
            at once, q ends. Otherwise plain text: one table, unless -n says how many.

            CPU% is of what the container may have: its quota, or the CPUs that it sees. USED is \
            MemTotal - MemAvailable. P-CPU%, P-MEM% and P-IO% are the part of the last ten seconds \
            in which some task waited for that (cgroup v2). "-" is not known.
            """)

    @OptionGroup var query: SocketOptions

    @Option(name: .shortAndLong, help: "Sort by cpu, memory, load, pressure, uptime or id.")
    var sort = UsageOrder.cpu

    @Option(name: .shortAndLong, help: "Seconds between two looks, 0.1 to 3600.")
    var delay = 2.0

    @Flag(name: .shortAndLong, help: "Plain text, also on a terminal.")
    var batch = false

    @Option(
        name: [.customShort("n"), .long],
        help: "Tables to show; 0: without end. (default: 1 in plain text, else 0)")
    var iterations: Int?

    @Flag(help: "Show whole ids.")
    var noTrunc = false

    func validate() throws {
        guard (0.1...3600).contains(delay) else {
            throw ValidationError("--delay takes 0.1 to 3600 seconds")
        }
        guard iterations ?? 0 >= 0 else {
            throw ValidationError("--iterations takes 0 or more")
        }
    }

    func run() throws {
        if batch || isatty(STDOUT_FILENO) == 0 || isatty(STDIN_FILENO) == 0 {
            try printTables()
        } else {
            try TopTerminal(settings).run()
        }
    }

    private var settings: TopSettings {
        TopSettings(
            query: query, order: sort, delay: delay, iterations: iterations,
            showsWholeIDs: noTrunc)
    }

    /// Tables one below the other, as wide as they are.
    private func printTables() throws {
        let count = iterations ?? 1
        var look = try TopLook(settings)
        var shown = 0
        while count == 0 || shown < count {
            // CPU time is a difference.
            try pause(shown == 0 ? min(delay, 1) : delay)
            try look.update()
            let text =
                (shown > 0 ? "\n" : "")
                + look.screen(by: sort).lines().map { $0 + "\n" }.joined()
            try Output.write(text)
            shown += 1
        }
    }

    private func pause(_ seconds: Double) throws {
        usleep(UInt32(min(seconds, 3600) * 1_000_000))
    }
}

extension UsageOrder: ExpressibleByArgument {}
