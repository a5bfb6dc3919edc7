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
    let openFiles: OpenFiles
    /// nil if nothing is to be cached: `--coherence 0`.
    let pageCache: PageCache?
    let containers: Session
    let containerTree: Tree
    let callers: Session
    let callerTree: Tree
    /// nil where the kernel has no seccomp user notification.
    let agent: Agent?

    /// Makes all parts, and takes over what the keeper hands to this process. Nothing is served
    /// yet: another worker may still do so.
    ///
    /// - Parameter options: those of `setup`; what has been chosen with the connections is set.
    init(
        _ setup: WorkerSetup, _ options: inout DaemonOptions, _ poller: Poller,
        _ link: WorkerEnd, _ log: Logger
    ) throws {
        let state = StateDirectory(path: options.directory.containers)
        try state.prepare()
        let memory = try HandoverMemory(FileDescriptor(owning: setup[.memory]))
        memory.bind(&options)
        let window = UInt64(max(options.coherence, 0)) * 1_000_000
        let roots = try HostRoots.open()
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
            state: state, options: options, log: log)
        let number = memory.beginLife()
        containers = try Session(
            device: FileDescriptor(owning: setup[.containers]), .containers, memory, log: log)
        callers = try Session(
            device: FileDescriptor(owning: setup[.callers]), .callers, memory, log: log)
        openFiles = OpenFiles(OpenFileTable(memory.start(of: .openFiles)))

        let containerNames = ContainerNames(
            host: host, registry: registry, callers: callerLookup,
            window: Double(window) / 1e9)
        let containerFiles: any FileServer
        if window > 0 {
            let cache = try PageCache(
                containers, window: window, threads: options.threads, worker: number,
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
        self.memory = memory
        self.number = number
        agent = try Self.makeAgent(
            setup, options, host, registry, callerLookup, memory, link, log)
        // Before the first thread, for each thread has its own.
        try Privileges.keepOnly([.trace], dormant: [.resources, .allFiles])
        try sampler.start()
        try pageCache?.start()
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
        for kept in setup.kept { try agent.adopt(kept.take()) }
        return agent
    }
}
