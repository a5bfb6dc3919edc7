import ArgumentParser
import Control
import Glibc
import Logging
import LxcfsHandover
import LxcfsKeeper
import Syscalls

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve the trees.")

    /// Where all that is written for lxcfs looks.
    static let usualMountpoint = "/var/lib/lxcfs"

    @Argument(help: "Where to mount the trees.")
    var mountpoint = usualMountpoint

    @Flag(name: .shortAndLong, help: "Stay in the foreground. Always so; accepted for lxcfs.")
    var foreground = false

    @Flag(name: .shortAndLong, help: "Log debug messages.")
    var debug = false

    @Flag(
        name: [.customShort("l"), .long, .customLong("enable-loadavg")],
        help: "Show load averages. Always so; accepted for lxcfs.")
    var loadavg = false

    @Flag(help: "Accepted for lxcfs; of zswap, containers see what they use on cgroup v2.")
    var disableZswap = false

    @Flag(
        help: "Accepted for lxcfs; cgroups are not served, containers have cgroup namespaces.")
    var enableCgroup = false

    @Flag(name: [.customShort("u"), .long], help: "Show no swap.")
    var disableSwap = false

    @Flag(help: "Show as many CPUs as the CPU quota is worth. On by default.")
    var enableCfs = false

    @Flag(help: "Show all CPUs of the cpuset, whatever the quota.")
    var disableCfs = false

    @Flag(help: "Accepted for lxcfs; processes are always held by pidfds.")
    var enablePidfd = false

    @Flag(help: "Accepted for lxcfs.")
    var enablePsiPoll = false

    @Option(
        name: [.customShort("p", allowingJoined: true), .long],
        help: "The pid file. (default: <runtime-dir>/lxcfsd.pid)")
    var pidfile: String?

    @Option(
        help: "Directory of control socket and state files: that itself, not the one above it.")
    var runtimeDir = Defaults.runtimeDirectory

    @Option(
        help: """
            How old the content of a container's files may be, in milliseconds. 0: always \
            fresh.
            """)
    var coherence = 10

    @Option(help: "Threads that answer requests, per connection.")
    var threads = 4

    @Option(
        name: .customShort("o", allowingJoined: true),
        help: "Mount options, separated by commas.")
    var options: [String] = []

    @Option(
        help: """
            What becomes of a system call that the daemon is not known to need: kill (the \
            process), log (in the kernel's log, to find gaps) or off.
            """)
    var seccomp = SystemCallFilter.Mode.kill

    @Flag(help: .hidden)
    var noResend = false

    @Flag(name: .short, help: .hidden)
    var singleThreaded = false

    func validate() throws {
        guard (0...60_000).contains(coherence) else {
            throw ValidationError("--coherence takes 0 to 60000 milliseconds")
        }
        guard (3...256).contains(threads) else {
            throw ValidationError("--threads takes 3 to 256")
        }
        guard mountpoint.hasPrefix("/") else {
            throw ValidationError(
                "the mountpoint must be an absolute path, and is \"\(mountpoint)\"; subcommands are "
                    + "list, status, top, metrics and serve")
        }
    }

    func run() throws {
        let log = makeLog(debug: debug)
        guard geteuid() == 0 else {
            log.error("lxcfsd needs root: it mounts, and looks at processes of all users")
            throw ExitCode(1)
        }
        var daemon = DaemonOptions(mountPoint: mountpoint)
        while daemon.mountPoint.count > 1, daemon.mountPoint.hasSuffix("/") {
            daemon.mountPoint.removeLast()
        }
        daemon.runtimeDirectory = runtimeDir
        daemon.pidFile = pidfile
        daemon.coherence = coherence
        daemon.cpuView = disableCfs ? .cpuset : .quota
        daemon.showSwap = !disableSwap
        daemon.threads = threads
        daemon.logsDebugMessages = debug
        daemon.systemCallFilter = seccomp
        daemon.usesResend = !noResend
        daemon.mountOptions = Self.mountOptions(options)
        do {
            try Keeper(daemon, log: log).run()
        } catch {
            log.error("\(Advice.added(to: error))")
            throw ExitCode(1)
        }
    }

    /// The options to pass on: without those that are set anyway, that only concern libfuse's
    /// high-level API, or that would change what the trees promise.
    static func mountOptions(_ given: [String]) -> [String] {
        let dropped: Set<String> = [
            "allow_other", "direct_io", "nonempty", "entry_timeout", "attr_timeout",
            "default_permissions", "nosuid", "nodev", "noexec", "ro", "rw",
        ]
        return given.flatMap { $0.split(separator: ",") }.map(String.init).filter { option in
            !dropped.contains(String(option.prefix { $0 != "=" }))
        }
    }
}

extension SystemCallFilter.Mode: ExpressibleByArgument {}
