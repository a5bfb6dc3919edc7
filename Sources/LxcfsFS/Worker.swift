import CFuse3
import Cgroups
import Control
import Glibc
import KernelText
import Logging
import LxcfsHandover
import Syscalls

/// The process that does the work: it answers the requests on the FUSE connections and the
/// control socket, which it has from the keeper. It may die at any time.
public final class Worker {
    private let setup: WorkerSetup
    private var options: DaemonOptions
    private let log: Logger
    private var hasMisunderstood = false

    private static let linkToken: UInt64 = 1 << 32
    private static let controlToken: UInt64 = 1 << 33

    public init(_ setup: WorkerSetup, log: Logger) {
        self.setup = setup
        options = setup.options
        self.log = log
    }

    /// What a tree has of an earlier worker, or keeps for the next one.
    private struct Parts {
        let host: Host
        let registry: Registry
        let callers: CallerLookup
        let registrar: Registrar
        let containerTree: ContainerTree
        let callerTree: CallerTree
        let containers: Session
        let callersSession: Session
        let shared: HandoverMemory
        /// How many workers there have been, this one included.
        let number: UInt64
        /// nil where the kernel has no seccomp user notification.
        let agent: Agent?
    }

    /// Runs until the keeper says so, or is gone.
    ///
    /// - Throws: `SystemError` or `DaemonError` for what keeps the worker from working.
    public func run() throws {
        try ChildProcess.setName("lxcfsd")
        try Privileges.forbidDumps()
        try ChildProcess.dieWithParent()
        // It may have died before that.
        if getppid() != setup.keeper { return }
        signal(SIGPIPE, SIG_IGN)
        // These are for the keeper, though a terminal or service manager sends them to all.
        for ignored in [SIGTERM, SIGINT, SIGHUP, SIGUSR2] { signal(ignored, SIG_IGN) }
        try Interruption.prepare(Session.interruption)
        for number in setup.descriptors { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
        let link = WorkerEnd(FileDescriptor(owning: setup.link))

        let poller = try Poller()
        let parts = try prepare(poller, link)
        try poller.add(link.descriptor, token: Self.linkToken)
        try parts.registrar.restore(poller, isFinal: false)
        try SystemCallFilter.worker.load(options.systemCallFilter)
        try link.ready()
        guard try waitForTurn(link, parts.agent) else { return }
        parts.registry.raiseNextSlot(to: parts.shared.nextSlot)
        try parts.registrar.restore(poller, isFinal: true)
        try takeOver(parts)
        try link.serving()
        try serve(poller, link, parts)
        finish(parts)
    }

    /// Waits until no other worker is at work.
    ///
    /// - Returns: false if it is not to serve.
    private func waitForTurn(_ link: WorkerEnd, _ agent: Agent?) throws -> Bool {
        while let message = try link.receive() {
            switch consume message {
            case .serve: return true
            case .keep(let named): try agent?.adopt(named)
            case .forget(let name):
                if let token = StoredListeners.token(name) { agent?.abandon(token: token) }
            case .finish: return false
            // The main thread looks for messages all the time.
            case .ask: try link.answer()
            case .other(let summary): noteMisunderstood(summary)
            }
        }
        return false
    }

    /// Once: a keeper that says something new may say it often.
    private func noteMisunderstood(_ summary: String) {
        if hasMisunderstood { return }
        hasMisunderstood = true
        log.notice("ignoring of the keeper: \(summary)")
    }

    private func prepare(_ poller: Poller, _ link: WorkerEnd) throws -> Parts {
        let state = StateDirectory(path: options.directory.containers)
        try state.prepare()
        let shared = try HandoverMemory(FileDescriptor(owning: setup[.memory]))
        shared.bind(&options)
        let window = UInt64(max(options.coherence, 0)) * 1_000_000
        let roots = try HostRoots.open()
        let counters = try CounterRecords(
            options.directory.counters,
            cpus: try CPUCatalog.possibleCPUs(sys: roots.sys), log: log)
        let host = try Host(roots: roots, window: window, shared: shared, counters: counters)
        let registry = Registry { shared.nextSlot = $0 }
        let sampler = try LoadSampler(host: host, log: log)
        let callers = try CallerLookup(
            host: host, cpuView: options.cpuView, showSwap: options.showSwap,
            sampler: sampler, poller: poller)
        let registrar = Registrar(
            host: host, registry: registry, callers: callers, sampler: sampler,
            state: state, options: options, log: log)
        let number = shared.beginLife()
        CachedFile.firstGeneration = CachedFile.firstGeneration(ofWorker: number)
        let expirer = try Expirer(window: window)
        let treeState = SharedTreeState(
            openFiles: OpenFiles(shared.start(of: .openFiles)),
            announcements: Announcements(shared.start(of: .announcements)),
            pushes: Pushes(shared.start(of: .pushes)),
            startedAt: setup.startedAtRealtime)
        let containerTree = ContainerTree(
            host: host, registry: registry, window: window, expirer: expirer,
            threads: options.threads, shared: treeState)
        let callerTree = CallerTree(
            host: host, registry: registry, callers: callers, shared: treeState)
        let containers = try Session(
            containerTree, device: FileDescriptor(owning: setup[.containers]), .containers,
            shared, log: log)
        containerTree.use(containers.handle)
        let callersSession = try Session(
            callerTree, device: FileDescriptor(owning: setup[.callers]), .callers, shared,
            log: log)
        let agent = try makeAgent(host, registry, callers, shared, link)
        // Before the first thread, for each thread has its own.
        try Privileges.keepOnly([.trace], dormant: [.resources, .allFiles])
        try sampler.start()
        try expirer.start()
        return Parts(
            host: host, registry: registry, callers: callers, registrar: registrar,
            containerTree: containerTree, callerTree: callerTree, containers: containers,
            callersSession: callersSession, shared: shared, number: number, agent: agent)
    }

    private func makeAgent(
        _ host: Host, _ registry: Registry, _ callers: CallerLookup, _ shared: HandoverMemory,
        _ link: WorkerEnd
    ) throws(SystemError) -> Agent? {
        let agent: Agent
        do {
            agent = try Agent(
                listener: FileDescriptor(owning: setup[.seccomp]),
                listeners: AgentListeners(store: StoredListeners(link, log: log)),
                slots: AgentSlots(shared.start(of: .agent)), host: host, registry: registry,
                callers: callers,
                mounts: SeenMeminfoLookup(host: host, mountPoint: options.mountPoint),
                log: log)
        } catch {
            guard error.errno == ENOSYS || error.errno == EINVAL else { throw error }
            log.notice("system calls are not answered: \(error)")
            // Nobody is to take it for a sign that they are.
            unlink(options.directory.seccompSocket)
            return nil
        }
        for kept in setup.kept { try agent.adopt(kept.take()) }
        return agent
    }

    /// Takes up where an earlier worker has ended, and starts to answer.
    private func takeOver(_ parts: Parts) throws(SystemError) {
        let pending = parts.containers.pending + parts.callersSession.pending
        var refused: Set<UInt64> = []
        if setup.afterCrash {
            refused = parts.shared.suspects.crashed(with: pending)
            for request in refused.sorted() {
                log.error("request \(request) is refused: it was there at each crash")
            }
        }
        parts.callerTree.openFiles.restore(life: parts.number)
        for container in parts.registry.all {
            container.lock.withLock {
                container.restoreCounters(parts.host)
                // Whoever has read it will read it again.
                if container.load != nil { container.noteLoadRead(now: parts.host.now()) }
            }
        }
        parts.containerTree.adoptAnnouncements(former: parts.shared.worker)
        parts.shared.worker = getpid()
        for session in [parts.containers, parts.callersSession] {
            let isResent = options.usesResend ? try session.resend() : false
            if !isResent, !pending.isEmpty {
                log.debug("answering what an earlier worker has left unanswered")
            }
        }
        try parts.containers.start(
            threads: options.threads, name: "containers", refused: refused)
        try parts.callersSession.start(
            threads: options.threads, name: "callers", refused: refused)
        try parts.agent?.start(afterCrash: setup.afterCrash)
    }

    /// Ends without leaving a request half-answered. What cannot be finished at once is left
    /// to the next worker.
    private func finish(_ parts: Parts) {
        let deadline = Clock.monotonic() + 20_000_000
        parts.containerTree.end()
        for session in [parts.containers, parts.callersSession] {
            _ = session.stop(deadline: deadline)
        }
    }

    // MARK: - Serving

    private func serve(
        _ poller: Poller, _ link: WorkerEnd, _ parts: Parts
    ) throws {
        let server = ControlServer(
            listener: FileDescriptor(owning: setup[.control]),
            path: options.directory.controlSocket,
            firstToken: Self.controlToken, log: log
        ) { parts.host.tree.closeFiles() }
        try server.start(poller)
        while true {
            guard let token = try poller.wait(timeout: timeout(parts.registrar, server)) else {
                let now = Clock.monotonic()
                parts.registrar.examineLeaving()
                server.expire(now: now)
                continue
            }
            if token == Self.linkToken {
                // Without a keeper there is nobody whom the work would serve.
                guard let message = try link.receive() else { return }
                switch consume message {
                case .finish: return
                case .ask: try link.answer()
                case .other(let summary): noteMisunderstood(summary)
                // It serves, and what others have had kept is theirs.
                default: break
                }
            } else if server.owns(token) {
                server.handle(token, poller) { request in answer(request, parts, poller) }
            } else if CallerLookup.tokens.contains(token) {
                parts.callers.processEnded(token: token)
            } else {
                parts.registrar.processEnded(slot: UInt32(truncatingIfNeeded: token))
            }
        }
    }

    private func answer(_ request: Request, _ parts: Parts, _ poller: Poller) -> Reply {
        do {
            switch request.op {
            case .register:
                return Reply(path: try parts.registrar.register(request, poller))
            case .unregister:
                guard let id = request.id else {
                    throw Refusal("the request names no container id")
                }
                parts.registrar.unregister(id: id)
                return Reply()
            case .list:
                let containers = parts.registry.all.sorted { $0.id < $1.id }
                return Reply(containers: containers.map(parts.registrar.summary))
            case .status:
                return Reply(status: status(parts))
            }
        } catch {
            return Reply(error: "\(error)")
        }
    }

    private func status(_ parts: Parts) -> DaemonStatus {
        var requests: [String: UInt64] = [:]
        for tree in [parts.containerTree, parts.callerTree] as [Tree] {
            requests.merge(tree.counters.values, uniquingKeysWith: &+)
        }
        requests.merge(parts.agent?.counters ?? [:], uniquingKeysWith: &+)
        var status = DaemonStatus(
            version: version, pid: setup.keeper,
            uptime: Double(Clock.monotonic() - setup.startedAt) / 1e9,
            mountpoint: options.mountPoint,
            cgroupVersion: parts.host.tree.mounts.version.rawValue,
            containers: parts.registry.count, coherence: options.coherence,
            requests: requests, listeners: parts.agent?.listenerCount)
        status.worker = getpid()
        status.workers = parts.number
        status.passesThrough = parts.shared.passesThrough
        status.openFiles = parts.callerTree.openFiles.count
        return status
    }

    /// Milliseconds until something has to be looked after; -1 for never.
    private func timeout(_ registrar: Registrar, _ server: ControlServer) -> CInt {
        let next = [registrar.nextLook, server.nextDeadline].compactMap { $0 }.min()
        guard let next else { return -1 }
        let rest = clampedDifference(next, Clock.monotonic())
        return CInt(min(rest / 1_000_000 + 1, 60_000))
    }
}
