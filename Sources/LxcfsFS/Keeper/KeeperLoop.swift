import Glibc
import Logging
import LxcfsHandover
import Syscalls

/// What a keeper does once everything is there: it waits for signals, messages of workers and
/// its own deadlines, tells ``Supervisor``, and does what that answers.
final class KeeperLoop {
    private let options: DaemonOptions
    private var mountPoint: String { options.mountPoint }
    private let log: Logger
    private let service: ServiceNotifier
    private let poller: Poller
    private let program: ProgramFile
    private var supervisor: Supervisor
    /// What completes the mounts; nil if they are there already.
    private let mounts: MountTask?
    /// Where workers receive requests.
    private let requests: [PendingRequest]
    private let holder: Holder
    let shared: HandoverMemory
    let workers: Workers

    private static let signalToken: UInt64 = 1
    private static let mountToken: UInt64 = 2
    private static let workerToken: UInt64 = 16

    /// In nanoseconds.
    private static let longestEnd: UInt64 = 1_000_000_000

    /// - Parameters:
    ///   - setup: what every worker is told.
    ///   - mounts: what completes the mounts; nil if they are there already.
    ///   - program: from which workers are started.
    init(
        _ setup: WorkerSetup, _ store: DescriptorStore, _ shared: HandoverMemory,
        mounts: MountTask?, program: ProgramFile, log: Logger
    ) throws(SystemError) {
        options = setup.options
        self.shared = shared
        self.mounts = mounts
        self.program = program
        self.log = log
        service = ServiceNotifier(log: log)
        poller = try Poller()
        holder = Holder(log: log)
        supervisor = Supervisor(isComplete: mounts == nil)
        requests = FUSEConnection.allCases.flatMap(shared.requests)
        workers = Workers(
            program, setup, store, poller, firstToken: Self.workerToken, log: log)
    }

    /// Runs until SIGTERM or SIGINT.
    ///
    /// - Throws: `DaemonError` and `SystemError` for what keeps the daemon from starting.
    func run(_ signals: borrowing SignalDescriptor) throws {
        try poller.add(signals.descriptor, token: Self.signalToken)
        try tell(.tick)
        if mounts == nil { startHolder() }
        while true {
            switch try poller.wait(timeout: timeout) {
            case Self.signalToken:
                while let signal = try signals.next() {
                    if try handle(signal) { return }
                }
            case Self.mountToken:
                try finishMounts()
            case let token?:
                if let event = workers.hear(token, heir: supervisor.next?.pid) {
                    try tell(event)
                }
            case nil:
                break
            }
            try tell(.tick)
        }
    }

    /// Tells the supervisor what has happened, and does what it wants.
    private func tell(_ event: Supervisor.Event) throws {
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
            while let end = try ChildProcess.reap() {
                if holder.hasEnded(end) { startHolder() }
                if supervisor.isUnexpected(end) { shared.countDeath() }
                try tell(.ended(end))
            }
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
        service.store(workers.store.ownItems)
        try tell(.mountsComplete)
        log.info("serving \(mountPoint)")
        startHolder()
    }

    private func startHolder() {
        let tree = shared.hasCallersOnTop ? options.directory.tree : mountPoint
        holder.start(program, tree + "/" + TreeNames.opens)
    }

    /// Kills all processes of the daemon but this one, and waits for them: who has waited for the
    /// keeper may unmount or remove what they have open, their log for one.
    func endProcesses() {
        workers.end()
        holder.end()
        do {
            if try ChildProcess.reapAll(within: Self.longestEnd) { return }
            log.warning("processes of the daemon have been killed, and have not ended")
        } catch {
            log.warning("\(error)")
        }
    }

    // MARK: - What the supervisor wants

    private func perform(_ action: Supervisor.Action) throws {
        switch action {
        case .start(let source, let afterCrash): try start(source, afterCrash: afterCrash)
        // A worker that cannot be told has ended, or takes nothing more: that is noticed soon.
        case .serve(let pid):
            rearrangeMounts(for: pid)
            try? workers[pid]?.link.serve()
        case .finish(let pid): try? workers[pid]?.link.finish()
        case .ask(let pid): try? workers[pid]?.link.ask()
        case .kill(let pid): kill(pid, SIGKILL)
        case .look(let pid): try look(at: pid)
        case .examine(let pid):
            if ChildProcess.isStuck(pid) { try tell(.stuck(pid)) }
        case .bury(let pid, let heir): workers.bury(pid, heir: heir)
        case .adoptProgram(let pid):
            if let worker = workers[pid] { program.current = worker.executable }
            shared.countUpgrade()
        case .completeMounts: try mounts?.start(poller, token: Self.mountToken)
        case .replaceKeeper: try replaceKeeper()
        case .tellServing: service.tell("READY=1\nSTATUS=serving \(mountPoint)")
        case .tellUpgrading:
            service.tell("RELOADING=1\nMONOTONIC_USEC=\(Clock.monotonic() / 1000)")
        case .log(let level, let text): log.log(level: level, "\(text)")
        case .fail(let sentence): throw DaemonError(sentence)
        }
    }

    /// A worker of release 0.1.0 knows no other arrangement of the mounts than its own. That one
    /// then stays until the daemon is started anew.
    private func rearrangeMounts(for pid: pid_t) {
        guard let worker = workers[pid], worker.contract < Contract.callersOnTop,
            shared.hasCallersOnTop
        else { return }
        do throws(SystemError) {
            try Mounts.arrangeAsBefore(options)
            shared.hasCallersOnTop = false
            log.notice("worker \(pid) is older: bind mounts of \(mountPoint) are empty now")
        } catch {
            log.error("worker \(pid) will not be found by hooks: \(error)")
        }
    }

    private func start(_ source: Supervisor.Program, afterCrash: Bool) throws {
        let event: Supervisor.Event
        do {
            let executable = source == .current ? program.current : try program.onDisk()
            event = .started(try workers.start(executable, afterCrash: afterCrash), source)
        } catch {
            event = .notStarted(source, "\(error)")
        }
        try tell(event)
    }

    private func look(at pid: pid_t) throws {
        // Whoever has CAP_SYS_ADMIN on the host can do that, and nothing would be answered any more.
        guard workers.store.areConnectionsAlive else {
            throw ConnectionsAborted()
        }
        if ChildProcess.isEnding(pid) {
            try tell(.foundEnding(pid, isStuck: ChildProcess.isStuck(pid)))
        } else {
            try tell(.looked(pid, requests: requests.map { suspicious($0, of: pid) }))
        }
    }

    /// The number of a request that may never be answered; 0 for none. A thread that works, or that
    /// the kernel keeps waiting, has a container that is expensive or held up by its own limits: no
    /// other worker would answer it sooner, and the others have other threads.
    private func suspicious(_ request: PendingRequest, of pid: pid_t) -> UInt64 {
        guard request.size > 0, !request.isHeldUp else { return 0 }
        let thread = request.receiver
        if thread > 0, ChildProcess.isAtWork(thread, of: pid) { return 0 }
        return request.unique
    }

    /// Executes the program that is now on disk, with the same process number, arguments and
    /// descriptors. Returns only if that fails.
    private func replaceKeeper() throws {
        // The new keeper must not start a worker beside this one.
        workers.finish()
        holder.handOver()
        let error = ServiceManager.execute(
            program.path, CommandLine.arguments, handingOver: workers.store.items)
        holder.stay()
        try tell(.notReplaced("\(error)"))
    }
}
