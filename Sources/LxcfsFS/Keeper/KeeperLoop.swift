import Glibc
import Logging
import LxcfsHandover
import Syscalls

/// What a keeper does once everything is there: it waits for signals, messages of workers and
/// its own deadlines, tells ``Supervisor``, and does what that answers.
final class KeeperLoop {
    /// What every worker is told.
    private let setup: WorkerSetup
    let log: Logger
    let service: ServiceNotifier
    let poller: Poller
    let shared: HandoverMemory
    let program: ProgramFile
    var store: DescriptorStore
    var supervisor: Supervisor
    /// Those that have not ended, or not been given up.
    var workers: [pid_t: WorkerHandle] = [:]
    /// What completes the mounts; nil if they are there already.
    private let mounts: MountTask?
    /// Where workers receive requests.
    private let requests: [PendingRequest]
    private var nextToken: UInt64 = 16

    private static let signalToken: UInt64 = 1
    private static let mountToken: UInt64 = 2

    var options: DaemonOptions { setup.options }

    /// - Parameters:
    ///   - setup: what every worker is told; the descriptors are entered for each.
    ///   - mounts: what completes the mounts; nil if they are there already.
    ///   - program: from which workers are started.
    init(
        _ setup: WorkerSetup, _ store: DescriptorStore, _ shared: HandoverMemory,
        mounts: MountTask?, program: ProgramFile, log: Logger
    ) throws(SystemError) {
        self.setup = setup
        self.store = store
        self.shared = shared
        self.mounts = mounts
        self.program = program
        self.log = log
        service = ServiceNotifier(log: log)
        poller = try Poller()
        supervisor = Supervisor(isComplete: mounts == nil)
        requests = FUSEConnection.allCases.flatMap(shared.requests)
    }

    /// Runs until SIGTERM or SIGINT.
    ///
    /// - Throws: `DaemonError` and `SystemError` for what keeps the daemon from starting.
    func run(_ signals: borrowing SignalDescriptor) throws {
        try poller.add(signals.descriptor, token: Self.signalToken)
        try tell(.tick)
        while true {
            switch try poller.wait(timeout: timeout) {
            case Self.signalToken:
                while let signal = try signals.next() {
                    if try handle(signal) { return }
                }
            case Self.mountToken:
                try finishMounts()
            case let token?:
                try hear(token)
            case nil:
                break
            }
            try tell(.tick)
        }
    }

    /// Tells the supervisor what has happened, and does what it wants.
    func tell(_ event: Supervisor.Event) throws {
        for action in supervisor.handle(event, now: Clock.monotonic()) { try perform(action) }
    }

    /// Milliseconds until the supervisor has something to do; -1 for never.
    private var timeout: CInt {
        guard let time = supervisor.dueTime else { return -1 }
        let now = Clock.monotonic()
        return time <= now ? 0 : CInt(min((time - now) / 1_000_000 + 1, 60_000))
    }

    /// - Returns: whether to stop.
    private func handle(_ signal: CInt) throws -> Bool {
        switch signal {
        case SIGTERM, SIGINT:
            service.tell("STOPPING=1")
            return true
        case SIGCHLD:
            while let end = try ChildProcess.reap() { try tell(.ended(end)) }
        case SIGUSR2:
            shared.passesThrough.toggle()
            log.notice(
                shared.passesThrough
                    ? "containers are shown the host" : "containers are shown themselves")
        default:
            try tell(.upgradeAsked)
        }
        return false
    }

    private func finishMounts() throws {
        guard let mounts else { return }
        try mounts.finish(poller)
        service.store(store.items)
        try tell(.mountsComplete)
        log.info("serving \(options.mountPoint)")
    }

    // MARK: - What the supervisor wants

    private func perform(_ action: Supervisor.Action) throws {
        switch action {
        case .start(let source, let afterCrash): try start(source, afterCrash: afterCrash)
        // Whoever cannot be told has ended, or takes nothing more: that is noticed soon.
        case .serve(let pid): try? workers[pid]?.link.serve()
        case .finish(let pid): try? workers[pid]?.link.finish()
        case .ask(let pid): try? workers[pid]?.link.ask()
        case .kill(let pid): kill(pid, SIGKILL)
        case .look(let pid): try look(at: pid)
        case .examine(let pid):
            if ChildProcess.isStuck(pid) { try tell(.stuck(pid)) }
        case .bury(let pid, let heir): bury(pid, heir: heir)
        case .adoptProgram(let pid):
            if let worker = workers[pid] { program.current = worker.executable }
        case .completeMounts: try mounts?.start(poller, token: Self.mountToken)
        case .replaceKeeper: try replaceKeeper()
        case .tellServing:
            service.tell("READY=1\nSTATUS=serving \(options.mountPoint)")
        case .tellUpgrading:
            service.tell("RELOADING=1\nMONOTONIC_USEC=\(Clock.monotonic() / 1000)")
        case .log(let level, let text): log.log(level: level, "\(text)")
        case .fail(let sentence): throw DaemonError(sentence)
        }
    }

    private func start(_ source: Supervisor.Program, afterCrash: Bool) throws {
        let event: Supervisor.Event
        do {
            let executable = source == .current ? program.current : try program.onDisk()
            event = .started(try start(executable, afterCrash: afterCrash), source)
        } catch {
            event = .notStarted(source, "\(error)")
        }
        try tell(event)
    }

    private func start(
        _ executable: ProgramFile.Version, afterCrash: Bool
    ) throws(SystemError) -> pid_t {
        let ends = try MessageSocket.pair()
        let link = KeeperEnd(FileDescriptor(owning: ends.0))
        let theirs = FileDescriptor(owning: ends.1)
        var setup = setup
        setup.afterCrash = afterCrash
        let first = ChildProcess.firstDescriptor
        setup.link = first
        let descriptors = [theirs.raw] + store.enter(in: &setup, from: first + 1)
        let text = try setup.inMemory()
        let pid = try ChildProcess.start(
            executable.file,
            [program.path, "worker", "\(first + CInt(descriptors.count))"],
            descriptors: descriptors + [text.raw])
        nextToken += 1
        workers[pid] = WorkerHandle(
            pid: pid, link: link, token: nextToken, executable: executable)
        try poller.add(link.descriptor, token: nextToken)
        return pid
    }

    private func look(at pid: pid_t) throws {
        if ChildProcess.isEnding(pid) {
            try tell(.foundEnding(pid, isStuck: ChildProcess.isStuck(pid)))
        } else {
            try tell(.looked(pid, requests: requests.map { $0.size > 0 ? $0.unique : 0 }))
        }
    }
}
