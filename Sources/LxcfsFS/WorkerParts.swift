import Control
import Glibc
import Logging
import LxcfsHandover
import LxcfsPageCache
import Syscalls

/// The parts of a worker that is ready: what the rooms are put together to.
struct WorkerParts {
    let memory: HandoverMemory
    /// How many workers there have been, this one included.
    let number: UInt64
    let host: Host
    let registry: Registry
    let callerLookup: CallerLookup
    let registrar: Registrar
    let states: StateStore
    let openFiles: OpenFiles
    /// nil if nothing is to be cached: `--coherence 0`.
    let pageCache: PageCache?
    let dispatcher: Dispatcher
    let aside: AsideRequests
    let containers: Session
    let containerTree: Tree
    let containerOwners: RequestOwners
    let callers: Session
    let callerTree: Tree
    let callerOwners: RequestOwners
    /// nil where the kernel has no seccomp user notification.
    let agent: Agent?
    private let link: WorkerEnd
    private let log: Logger

    /// Makes all parts, and takes over what the keeper hands to this process. Nothing is served
    /// yet: another worker may still do so.
    ///
    /// - Parameter options: those of `setup`; what has been chosen with the connections is set.
    init(
        _ setup: WorkerSetup, _ options: inout DaemonOptions, _ poller: Poller,
        _ link: WorkerEnd, _ log: Logger
    ) throws {
        let roots = try HostRoots.open()
        try Confinement.startAide(roots, options.systemCallFilter)
        let directory = StateDirectory(path: options.directory.containers)
        do {
            try directory.prepare()
        } catch {
            // Those that read already are served all the same.
            log.error("containers would be forgotten at the end of this worker: \(error)")
        }
        states = StateStore(directory, KeeperHolder(link: link), log: log)
        let memory = try HandoverMemory(FileDescriptor(owning: setup[.memory]))
        memory.bind(&options)
        let window = UInt64(max(options.coherence, 0)) * 1_000_000
        let records = try CounterRecords(
            options.directory.counters, cpus: try CPUCatalog.possibleCPUs(sys: roots.sys).count,
            log: log)
        host = try Host(roots: roots, window: window, memory: memory, records: records)
        registry = Registry { memory.nextSlot = $0 }
        let sampler = try LoadSampler(host: host, log: log)
        callerLookup = try CallerLookup(
            host: host, cpuView: options.cpuView, showSwap: options.showSwap,
            sampler: sampler, poller: poller)
        registrar = Registrar(
            host: host, registry: registry, callers: callerLookup, sampler: sampler,
            state: states, options: options, log: log)
        let number = memory.beginLife()
        aside = try Self.asideRequests(setup, link, log)
        dispatcher = Dispatcher(aside, log: log)
        containers = try Session(
            device: FileDescriptor(owning: setup[.containers]), .containers, memory,
            dispatcher, log: log)
        callers = try Session(
            device: FileDescriptor(owning: setup[.callers]), .callers, memory, dispatcher,
            log: log)
        openFiles = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))

        let containerNames = ContainerNames(
            host: host, registry: registry, callers: callerLookup,
            window: Double(window) / 1e9)
        let containerFiles: any FileServer
        if window > 0 {
            let cache = try PageCache(
                containers, window: window, threads: Dispatcher.mostHelpers, worker: number,
                memory: memory, cpuWait: CPUQueue(host.loadavg).wait)
            pageCache = cache
            containerFiles = PageCacheFiles(names: containerNames, cache: cache)
        } else {
            pageCache = nil
            containerFiles = SnapshotFiles(
                names: containerNames, openFiles: openFiles, watcher: nil)
        }
        containerTree = Tree(
            names: containerNames, files: containerFiles, counters: containers.counters,
            startedAt: setup.startedAtRealtime)
        let callerNames = CallerNames(
            host: host, registry: registry, callers: callerLookup,
            tree: options.directory.tree)
        callerTree = Tree(
            names: callerNames,
            files: SnapshotFiles(
                names: callerNames, openFiles: openFiles, watcher: PressureWatcher()),
            counters: callers.counters, startedAt: setup.startedAtRealtime)
        containerOwners = RequestOwners(names: containerNames, openFiles: nil)
        callerOwners = RequestOwners(names: callerNames, openFiles: openFiles)
        self.memory = memory
        self.number = number
        self.link = link
        self.log = log
        agent = try Self.makeAgent(
            setup, options, host, registry, callerLookup, memory, link, log)
        for kept in setup.kept { try adopt(kept.take()) }
        try Confinement.apply(host, state: directory.path, options.systemCallFilter, log: log)
        try sampler.start()
        try openFiles.startTidyingUp(log)
        try pageCache?.start()
    }

    /// The memory for requests that are put aside: that of the workers before, or a new one, which
    /// the keeper keeps for those that follow.
    private static func asideRequests(
        _ setup: WorkerSetup, _ link: WorkerEnd, _ log: Logger
    ) throws -> AsideRequests {
        if let kept = setup.kept.first(where: { $0.name == AsideRequests.name }) {
            do {
                return try AsideRequests(try kept.duplicate())
            } catch {
                log.error("what a former worker has left of requests is ignored: \(error)")
            }
        }
        let memory = try AsideRequests.make()
        try link.keep(memory, name: AsideRequests.name)
        return try AsideRequests(memory)
    }

    private static func makeAgent(
        _ setup: WorkerSetup, _ options: DaemonOptions, _ host: Host, _ registry: Registry,
        _ callers: CallerLookup, _ memory: HandoverMemory, _ link: WorkerEnd, _ log: Logger
    ) throws(SystemError) -> Agent? {
        let agent: Agent
        do {
            agent = try Agent(
                listener: FileDescriptor(owning: setup[.seccomp]),
                listeners: AgentListeners(store: StoredListeners(link)),
                slots: AgentSlots(memory.start(of: .agent)), host: host, registry: registry,
                callers: callers,
                mounts: SeenMeminfoLookup(host: host, options),
                log: log)
        } catch {
            guard error.errno == ENOSYS || error.errno == EINVAL else { throw error }
            log.notice("system calls are not answered: \(error)")
            // Nobody is to take it for a sign that they are.
            unlink(options.directory.seccompSocket)
            return nil
        }
        return agent
    }

    /// Takes up what a former worker has had kept; what nobody knows is closed.
    ///
    /// One that has been taken over may have had anything kept. What cannot be what its name says
    /// must not keep the next workers from serving.
    func adopt(_ kept: consuming NamedDescriptor) throws(SystemError) {
        if StateStore.isState(kept.name) {
            states.adopt(kept)
            return
        }
        let name = kept.name
        do {
            try agent?.adopt(kept)
        } catch {
            // epoll_ctl(2) about what cannot be watched. Without memory or room it is another
            // matter: calls of containers depend on it.
            guard [EPERM, EINVAL, EBADF, ELOOP].contains(error.errno) else { throw error }
            log.error("\(name), left by a former worker, is none: \(error)")
            abandon(name)
            try link.forget(name: name)
        }
    }

    /// The former worker does not need any more what it has had kept under this name.
    func abandon(_ name: String) {
        if StateStore.isState(name) {
            states.abandon(name: name)
        } else if let token = StoredListeners.token(name) {
            agent?.abandon(token: token)
        }
    }
}
