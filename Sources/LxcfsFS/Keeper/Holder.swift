import Glibc
import Logging
import Syscalls

/// The process that has the files of the caller tree open, so that nobody gets a lease on one.
final class Holder {
    private let log: Logger
    private var pid: pid_t?
    private var startedAt: UInt64 = 0

    /// Its number, for a keeper that is executed in the place of this one: it is that one's child,
    /// too.
    private static let variable = "LXCFSD_HOLDER"
    /// One that ends sooner would do so again.
    private static let shortestLife: UInt64 = 1_000_000_000

    init(log: Logger) {
        self.log = log
        pid = getenv(Self.variable).flatMap { pid_t(String(cString: $0)) }
        unsetenv(Self.variable)
    }

    /// Starts it, unless there is one.
    ///
    /// - Parameters:
    ///   - program: of the version that serves.
    ///   - path: where the caller tree is.
    func start(_ program: ProgramFile, _ path: String) {
        guard pid == nil else { return }
        do {
            startedAt = Clock.monotonic()
            pid = try ChildProcess.start(
                program.current.file, [program.path, "holder", "\(getpid())", path],
                descriptors: [])
        } catch {
            log.warning("containers can have leases on files that they share: \(error)")
        }
    }

    /// - Returns: whether it was this one that has ended, and another one is to be started.
    func hasEnded(_ end: ChildProcess.End) -> Bool {
        guard end.pid == pid else { return false }
        pid = nil
        let age = Clock.monotonic() - startedAt
        if age > Self.shortestLife { return true }
        log.warning(
            """
            containers can have leases on files that they share: the process that has them open \
            has ended at once (signal \(end.signal), code \(end.code))
            """)
        return false
    }

    func end() {
        if let pid { kill(pid, SIGKILL) }
    }

    /// For a keeper that is about to execute another program.
    func handOver() { if let pid { setenv(Self.variable, "\(pid)", 1) } }

    /// The program has not been executed.
    func stay() { unsetenv(Self.variable) }
}
