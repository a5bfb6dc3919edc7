import CFuse3
import Cgroups
import Control
import Glibc
import Logging
import Syscalls

/// The daemon `lxcfsd`: serves the trees and the control socket until it is told to stop.
public final class Daemon {
    private let options: DaemonOptions
    private let log: Logger
    private let startedAt = Clock.monotonic()

    private static let signalToken: UInt64 = 1 << 32
    private static let controlToken: UInt64 = 1 << 33

    public init(_ options: DaemonOptions, log: Logger) {
        self.options = options
        self.log = log
    }

    /// Runs until SIGTERM or SIGINT; then unmounts and removes what it made.
    ///
    /// - Throws: `SystemError` for what keeps the daemon from starting.
    public func run() throws(SystemError) {
        signal(SIGPIPE, SIG_IGN)
        let signals = try SignalDescriptor([SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2])
        raiseDescriptorLimit()
        try makeDirectory(options.runtimeDirectory, mode: 0o755)
        let pidFile = try PidFile(options.pidFilePath)
        let state = StateDirectory(path: options.runtimeDirectory + "/containers")
        try state.prepare()

        let window = UInt64(max(options.coherence, 0)) * 1_000_000
        let host = try Host(roots: try HostRoots.open(), window: window)
        let registry = Registry()
        let poller = try Poller()
        let sampler = try LoadSampler(host: host, log: log)
        let callers = try CallerLookup(
            host: host, cpuView: options.cpuView, showSwap: options.showSwap,
            sampler: sampler, poller: poller)
        try poller.add(signals.descriptor, token: Self.signalToken)
        let registrar = Registrar(
            host: host, registry: registry, callers: callers, sampler: sampler,
            state: state, options: options, log: log)
        try registrar.restore(poller)

        let expirer = try Expirer(window: window)
        let containerTree = ContainerTree(
            host: host, registry: registry, window: window, expirer: expirer,
            threads: options.threads)
        let callerTree = CallerTree(host: host, registry: registry, callers: callers)
        try sampler.start()
        try expirer.start()
        let mounts = try Mounts(
            containers: containerTree, callers: callerTree, at: options.mountPoint,
            options: options.mountOptions, threads: options.threads, log: log)
        do {
            try serve(
                poller, signals, callers, registrar, registry,
                Telling(host: host, trees: [containerTree, callerTree]))
        } catch {
            try? mounts.remove()
            throw error
        }
        try mounts.remove()
        pidFile.remove()
        removeIfEmpty(state.path)
        removeIfEmpty(options.runtimeDirectory)
        log.info("stopped")
    }

    private struct Telling {
        let host: Host
        let trees: [Tree]
    }

    private func serve(
        _ poller: Poller, _ signals: borrowing SignalDescriptor, _ callers: CallerLookup,
        _ registrar: Registrar, _ registry: Registry, _ telling: Telling
    ) throws(SystemError) {
        let socket = Defaults.controlSocket(in: options.runtimeDirectory)
        // Left by a daemon that was killed: ours is the pid file, so nobody serves it.
        unlink(socket)
        defer { unlink(socket) }
        let server = try ControlServer(
            path: socket, firstToken: Self.controlToken, log: log)
        try server.start(poller)
        try notifyServiceManager("READY=1\nSTATUS=serving \(options.mountPoint)")
        log.info("serving \(options.mountPoint), cgroup \(telling.host.tree.mounts.version)")
        while true {
            guard let token = try poller.wait(timeout: timeout(registrar, server)) else {
                let now = Clock.monotonic()
                registrar.examineLeaving()
                server.expire(now: now)
                continue
            }
            if token == Self.signalToken {
                guard let signal = try signals.next() else { continue }
                if signal == SIGTERM || signal == SIGINT {
                    try notifyServiceManager("STOPPING=1")
                    return
                }
                log.notice("signal \(signal) ignored")
            } else if server.owns(token) {
                server.handle(token, poller) { request in
                    answer(request, registrar, registry, telling, poller)
                }
            } else if CallerLookup.tokens.contains(token) {
                callers.processEnded(token: token)
            } else {
                registrar.processEnded(slot: UInt32(truncatingIfNeeded: token))
            }
        }
    }

    private func answer(
        _ request: Request, _ registrar: Registrar, _ registry: Registry, _ telling: Telling,
        _ poller: Poller
    ) -> Reply {
        do {
            switch request.op {
            case .register:
                return Reply(path: try registrar.register(request, poller))
            case .unregister:
                guard let id = request.id else {
                    throw Refusal("the request names no container id")
                }
                registrar.unregister(id: id)
                return Reply()
            case .list:
                let containers = registry.all.sorted { $0.id < $1.id }
                return Reply(containers: containers.map(registrar.summary))
            case .status:
                return Reply(status: status(registry, telling))
            }
        } catch {
            return Reply(error: "\(error)")
        }
    }

    private func status(_ registry: Registry, _ telling: Telling) -> DaemonStatus {
        var requests: [String: UInt64] = [:]
        for tree in telling.trees { requests.merge(tree.counters.values, uniquingKeysWith: &+) }
        return DaemonStatus(
            version: version, pid: getpid(),
            uptime: Double(Clock.monotonic() - startedAt) / 1e9,
            mountpoint: options.mountPoint,
            cgroupVersion: telling.host.tree.mounts.version.rawValue,
            containers: registry.count, coherence: options.coherence, requests: requests)
    }

    /// Milliseconds until something has to be looked after; -1 for never.
    private func timeout(_ registrar: Registrar, _ server: ControlServer) -> CInt {
        let next = [registrar.nextLook, server.nextDeadline].compactMap { $0 }.min()
        guard let next else { return -1 }
        let rest = clampedDifference(next, Clock.monotonic())
        return CInt(min(rest / 1_000_000 + 1, 60_000))
    }

    /// Each container that is read keeps a dozen cgroup files open.
    private func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(RLIMIT_NOFILE, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(RLIMIT_NOFILE, &limit)
    }

    private func removeIfEmpty(_ directory: String) {
        if rmdir(directory) != 0, errno != ENOTEMPTY, errno != EBUSY, errno != ENOENT {
            log.warning("\(SystemError("remove", directory, errno: errno))")
        }
    }
}
