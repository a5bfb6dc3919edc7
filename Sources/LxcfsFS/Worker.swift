import Cgroups
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

    public init(_ setup: WorkerSetup, log: Logger) {
        self.setup = setup
        options = setup.options
        self.log = log
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
        // A state file that even root has no rights to is of no use to the next worker.
        umask(0o077)
        // These are for the keeper, though a terminal or service manager sends them to all.
        for ignored in [SIGTERM, SIGINT, SIGHUP, SIGUSR2] { signal(ignored, SIG_IGN) }
        try Interruption.prepare(Session.interruption)
        for number in setup.descriptors { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
        let link = WorkerEnd(FileDescriptor(owning: setup.link))

        let poller = try Poller()
        let parts = try WorkerParts(setup, &options, poller, link, log)
        try poller.add(link.descriptor, token: Wakeup.keeper.token)
        try parts.registrar.restore(poller, isFinal: false)
        try SystemCallFilter.worker.load(options.systemCallFilter)
        try link.ready()
        guard try waitForTurn(link, parts) else { return }
        parts.registry.raiseNextSlot(to: parts.memory.nextSlot)
        try parts.registrar.restore(poller, isFinal: true)
        if parts.host.tree.mounts.mounts.isEmpty {
            log.warning(
                """
                no cgroups are mounted here: containers are shown the host (mount /sys/fs/cgroup \
                where lxcfsd runs, and start it again)
                """)
        }
        try takeOver(parts)
        try link.serving()
        try serve(poller, link, parts)
        finish(parts)
    }

    /// Waits until no other worker is at work.
    ///
    /// - Returns: false if it is not to serve.
    private func waitForTurn(_ link: WorkerEnd, _ parts: WorkerParts) throws -> Bool {
        while let message = try link.receive() {
            switch consume message {
            case .serve: return true
            case .keep(let named): try parts.adopt(named)
            case .forget(let name): parts.abandon(name)
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

    /// Takes up where an earlier worker has ended, and starts to answer.
    private func takeOver(_ parts: WorkerParts) throws(SystemError) {
        let pending =
            parts.containers.pending + parts.callers.pending + parts.pendingAside
        var refused: Set<UInt64> = []
        if setup.afterCrash {
            refused = parts.memory.suspects.crashed(with: pending)
            for request in refused.sorted() {
                log.error("request \(request) is refused: it was there at each crash")
            }
        }
        parts.openFiles.restore(worker: parts.number)
        for container in parts.registry.all {
            container.lock.withLock {
                container.restoreCounters(parts.host)
                // A program that has read the load will read it again.
                if container.counters.load != nil {
                    container.noteLoadRead(now: parts.host.now())
                }
            }
        }
        parts.pageCache?.takeOver(from: parts.memory.servingPID) {
            parts.registry.container(slot: $0)?.cached
        }
        parts.memory.servingPID = getpid()
        for session in [parts.containers, parts.callers] {
            let isResent = options.usesResend ? try session.resend() : false
            if isResent { parts.forgetAside(of: session.connection) }
            if !isResent, !pending.isEmpty {
                log.debug("answering what an earlier worker has left unanswered")
            }
        }
        let left = parts.takeLeft()
        let (aside, containers, callers) = (parts.aside, parts.containers, parts.callers)
        try parts.dispatcher.start { item, gate in
            let session = aside.connection(item.place) == .callers ? callers : containers
            return session.answerAside(aside[item.place], item, gate)
        }
        try parts.containers.start(
            serving: parts.containerTree, parts.containerOwners, threads: options.threads,
            name: "containers", refused: refused)
        try parts.callers.start(
            serving: parts.callerTree, parts.callerOwners, threads: options.threads,
            name: "callers", refused: refused)
        for place in left {
            if let gate = parts.session(ofAside: place)?.gate(ofLeft: parts.aside[place]) {
                parts.dispatcher.takeUp(place, gate)
            }
        }
        try parts.agent?.start(afterCrash: setup.afterCrash)
    }

    /// Ends without leaving a request half-answered. What cannot be finished at once is left
    /// to the next worker.
    private func finish(_ parts: WorkerParts) {
        let deadline = Clock.monotonic() + 20_000_000
        parts.pageCache?.end()
        for session in [parts.containers, parts.callers] {
            _ = session.stop(deadline: deadline)
        }
        parts.dispatcher.finish(deadline: deadline)
    }

    // MARK: - Serving

    private func serve(
        _ poller: Poller, _ link: WorkerEnd, _ parts: WorkerParts
    ) throws {
        let server = ControlServer(
            listener: FileDescriptor(owning: setup[.control]),
            path: options.directory.controlSocket,
            log: log
        ) { parts.host.tree.closeFiles() }
        let answers = ControlAnswers(parts, setup, options)
        try server.start(poller)
        while true {
            let event = try poller.wait(timeout: timeout(parts.registrar, server))
            // Also when there is always something to do: containers that come and go, or make
            // namespaces.
            let now = Clock.monotonic()
            if let due = nextMoment(parts.registrar, server), due <= now {
                parts.registrar.examineLeaving()
                server.expire(now: now)
            }
            guard let token = event else { continue }
            switch Wakeup(token: token) {
            case .keeper:
                // Without a keeper there is nobody whom the work would serve.
                guard let message = try link.receive() else { return }
                switch consume message {
                case .finish: return
                case .ask: try link.answer()
                case .other(let summary): noteMisunderstood(summary)
                // This worker serves already, and keeps only what it has asked for itself.
                default: break
                }
            case .control(let number):
                server.handle(number, poller) { request in answers.answer(request, poller) }
            case .callerEnded(let pid): parts.callerLookup.processEnded(pid: pid)
            case .containerEnded(let slot): parts.registrar.processEnded(slot: slot)
            }
        }
    }

    private func nextMoment(_ registrar: Registrar, _ server: ControlServer) -> UInt64? {
        [registrar.nextLook, server.nextDeadline].compactMap { $0 }.min()
    }

    /// Milliseconds until something has to be looked after; -1 for never.
    private func timeout(_ registrar: Registrar, _ server: ControlServer) -> CInt {
        guard let next = nextMoment(registrar, server) else { return -1 }
        let rest = clampedDifference(next, Clock.monotonic())
        return CInt(min(rest / 1_000_000 + 1, 60_000))
    }
}
