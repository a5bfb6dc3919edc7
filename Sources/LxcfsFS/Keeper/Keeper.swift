import Control
import Glibc
import Logging
import LxcfsHandover
import Syscalls

/// The daemon `lxcfsd` as its users know it: mounts the trees, holds every descriptor whose
/// loss would hurt, and keeps a worker going that serves them. It does nothing else, so it
/// has nothing to crash on.
public final class Keeper {
    private var options: DaemonOptions
    private let log: Logger
    private let startedAt = Clock.monotonic()
    private let startedAtRealtime = Int(Clock.realtime() / 1_000_000_000)
    private let program: ProgramFile
    private let poller: Poller

    private var kept = KeptDescriptors()
    /// The worker that serves, or is about to.
    private var current: WorkerHandle?
    /// The worker that is to take over from it.
    private var next: WorkerHandle?
    private var nextToken: UInt64 = 16
    private var pace = RestartPace()
    /// When to start a worker again, on the monotonic clock.
    private var restartAt: UInt64?
    private var afterCrash = false
    /// What the worker's threads are answering.
    private var requests: [PendingRequest] = []
    /// Workers that have been abandoned and are not gone.
    private var stuck: Set<pid_t> = []
    /// False until all mounts are there and are served.
    private var isComplete = false
    private var upgradeIsDue = false
    /// The keeper is to make way for one of the version that the worker has now.
    private var replacementIsDue = false
    /// This program is executed in the place of another keeper.
    private let isReplacement: Bool

    private static let signalToken: UInt64 = 1
    private static let mountToken: UInt64 = 2

    /// A process that has been killed is normally gone after some milliseconds; in nanoseconds.
    private static let deathTime: UInt64 = 100_000_000
    /// How often it is looked at then, and how long at most before the keeper itself ends.
    private static let deathInterval: UInt64 = 10_000_000
    private static let longestDeath: UInt64 = 1_000_000_000
    /// How long a worker may take to finish what it is answering, and a new one to prepare,
    /// in nanoseconds.
    private static let finishTime: UInt64 = 50_000_000
    private static let prepareTime: UInt64 = 30_000_000_000
    /// How often to look whether the worker answers or is only half dead, in nanoseconds.
    private static let lookInterval: UInt64 = 250_000_000
    /// Where that many workers are stuck, one more does not help.
    private static let mostStuck = 4

    public init(_ options: DaemonOptions, log: Logger) throws(SystemError) {
        self.options = options
        self.log = log
        isReplacement = ServiceManager.hasHandedOver
        program = try ProgramFile()
        poller = try Poller()
    }

    /// Runs until SIGTERM or SIGINT; then unmounts and removes what it made.
    ///
    /// - Throws: `SystemError` for what keeps the daemon from starting.
    public func run() throws(SystemError) {
        signal(SIGPIPE, SIG_IGN)
        let signals = try SignalDescriptor([
            SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD,
        ])
        try poller.add(signals.descriptor, token: Self.signalToken)
        raiseDescriptorLimit()
        try makeDirectory(options.runtimeDirectory, mode: 0o755)
        let pidFile = try PidFile(options.pidFilePath)
        try makeDirectory(directory.containers, mode: 0o700)

        var pendingMount: MountTask?
        let resources: KeeperResources
        let shared: HandoverMemory
        if let stored = takeStored() {
            resources = stored
            shared = try HandoverMemory(try resources.memory.duplicate())
            isComplete = true
        } else {
            let madeDirectory = try Mounts.prepare(options.mountPoint, log)
            let made = try KeeperResources.make(options)
            pendingMount = try MountTask(
                try made.callersMount.duplicate(), at: options.mountPoint)
            resources = made.resources
            shared = try HandoverMemory(try resources.memory.duplicate())
            shared.madeDirectory = madeDirectory
        }
        do {
            shared.bind(&options)
            requests = FUSEConnection.allCases.flatMap(shared.requests)
            try giveUpPrivileges()
            try serve(resources, shared, signals, pendingMount)
        } catch {
            // Whoever is started next must not go on with what is unmounted here.
            dropStored()
            do {
                try Mounts.abort(options.mountPoint)
            } catch {
                log.error("\(error)")
            }
            endWorkers()
            KeeperResources.removeSockets(options)
            throw error
        }
        try leave(madeDirectory: shared.madeDirectory)
        pidFile.remove()
        removeIfEmpty(directory.containers)
        // As long as there are containers, the next daemon goes on with them.
        if access(directory.containers, F_OK) != 0 {
            unlink(directory.counters)
        }
        removeIfEmpty(options.runtimeDirectory)
        log.info("stopped")
    }

    private func leave(madeDirectory: Bool) throws(SystemError) {
        dropStored()
        // Containers that have files of ours keep these mounts, and would wait for ever for what
        // a worker that cannot end has left.
        try Mounts.abort(options.mountPoint)
        endWorkers()
        if madeDirectory { rmdir(options.mountPoint) }
        KeeperResources.removeSockets(options)
        unlink(keptPath)
    }

    private var directory: RuntimeDirectory { options.directory }
    private var keptPath: String { directory.storedDescriptors }

    // MARK: - The service manager's store

    /// What an earlier keeper has left with the service manager, if it is still good.
    private func takeStored() -> KeeperResources? {
        var stored = ServiceManager.takeStoredDescriptors()
        let found = KeeperResources.names.compactMap { stored.removeValue(forKey: $0) }
        guard found.count == KeeperResources.names.count else {
            for number in found + stored.values { close(number) }
            if !found.isEmpty {
                log.warning("what was stored of the last daemon is not whole")
                dropStored(KeeperResources.names)
            }
            return nil
        }
        let resources = KeeperResources(
            containers: FileDescriptor(owning: found[0]),
            callers: FileDescriptor(owning: found[1]),
            control: FileDescriptor(owning: found[2]),
            seccomp: FileDescriptor(owning: found[3]), memory: FileDescriptor(owning: found[4]))
        do {
            let left = try kept.restore(from: keptPath, stored)
            // Nobody would answer what comes over them.
            for number in left.values { close(number) }
            dropStored(Array(left.keys))
        } catch {
            for number in stored.values { close(number) }
            dropStored(Array(stored.keys))
            log.warning("descriptors of the last worker are lost: \(error)")
        }
        do {
            guard resources.areAlive else {
                throw SystemError("use", "the stored connections", errno: ENOTCONN)
            }
            _ = try HandoverMemory(try resources.memory.duplicate())
        } catch {
            log.error("starting anew: \(error)")
            dropStored(KeeperResources.names)
            return nil
        }
        log.notice("taking over the connections of the last daemon")
        return resources
    }

    private func store(_ resources: borrowing KeeperResources) {
        for (name, number) in zip(KeeperResources.names, resources.numbers) {
            attempt { () throws(SystemError) in try ServiceManager.store(number, name) }
        }
    }

    private func dropStored() {
        dropStored(KeeperResources.names + kept.all.compactMap { kept.storeName($0.name) })
    }

    private func dropStored(_ names: [String]) {
        for name in names {
            attempt { () throws(SystemError) in try ServiceManager.drop(name) }
        }
    }

    private func notify(_ message: String) {
        attempt { () throws(SystemError) in try notifyServiceManager(message) }
    }

    /// Containers must not suffer from a service manager that does not listen.
    private func attempt(_ body: () throws(SystemError) -> Void) {
        do {
            try body()
        } catch {
            log.warning("\(error)")
        }
    }

    // MARK: - The loop

    private func serve(
        _ resources: borrowing KeeperResources, _ shared: HandoverMemory,
        _ signals: borrowing SignalDescriptor, _ mount: MountTask?
    ) throws(SystemError) {
        try startCurrent(resources)
        while true {
            let token = try poller.wait(timeout: timeout)
            switch token {
            case Self.signalToken:
                while let signal = try signals.next() {
                    if try handle(signal, resources, shared) { return }
                }
            case Self.mountToken:
                guard let mount, !isComplete else { break }
                try mount.finish(poller)
                nowComplete(resources)
            case let token?:
                try hear(token, resources, mount)
            case nil:
                break
            }
            try checkTime(resources)
        }
    }

    /// - Returns: whether to stop.
    private func handle(
        _ signal: CInt, _ resources: borrowing KeeperResources, _ shared: HandoverMemory
    ) throws(SystemError) -> Bool {
        switch signal {
        case SIGTERM, SIGINT:
            notify("STOPPING=1")
            return true
        case SIGCHLD:
            while let end = try ChildProcess.reap() {
                stuck.remove(end.pid)
                try ended(end, resources)
            }
        case SIGUSR2:
            shared.passesThrough.toggle()
            log.notice(
                shared.passesThrough
                    ? "containers are shown the host" : "containers are shown themselves")
        default:
            upgradeIsDue = true
        }
        return false
    }

    private func nowComplete(_ resources: borrowing KeeperResources) {
        isComplete = true
        store(resources)
        tellServing()
        log.info("serving \(options.mountPoint)")
    }

    private func tellServing() {
        notify("READY=1\nSTATUS=serving \(options.mountPoint)")
    }

    /// Milliseconds until ``checkTime(_:)`` has something to do; -1 for never.
    private var timeout: CInt {
        if upgradeIsDue || replacementIsDue, canUpgrade { return 0 }
        let times = [restartAt, current?.deadline, current?.lookAt, next?.deadline]
            .compactMap { $0 }
        guard let first = times.min() else { return -1 }
        let now = Clock.monotonic()
        return first <= now ? 0 : CInt(min((first - now) / 1_000_000 + 1, 60_000))
    }

    private func checkTime(_ resources: borrowing KeeperResources) throws(SystemError) {
        let now = Clock.monotonic()
        if let time = restartAt, time <= now {
            restartAt = nil
            try startCurrent(resources)
        }
        for worker in [current, next].compactMap({ $0 }) {
            if let deadline = worker.deadline, deadline <= now {
                if worker.isKilled {
                    if ChildProcess.isStuck(worker.pid) {
                        try abandon(worker, resources)
                    } else {
                        worker.deadline = now + Self.deathInterval
                    }
                    continue
                }
                if worker.state != .finishing {
                    log.error("worker \(worker.pid) does not get ready")
                }
                end(worker, now: now)
            }
        }
        if let worker = current, let time = worker.lookAt, time <= now {
            worker.lookAt = now + Self.lookInterval
            try look(at: worker, resources)
        }
        if upgradeIsDue, canUpgrade {
            upgradeIsDue = false
            upgrade(resources)
        } else if replacementIsDue, canUpgrade {
            replacementIsDue = false
            try replaceItself(resources)
        }
    }

    /// Notices a worker that does not answer, and one that somebody else has killed and that
    /// cannot end, see ``abandon(_:_:)``.
    private func look(
        at worker: WorkerHandle, _ resources: borrowing KeeperResources
    ) throws(SystemError) {
        guard ChildProcess.isEnding(worker.pid) else {
            worker.isSuspect = false
            replaceIfHung(worker)
            return
        }
        if !worker.isSuspect {
            worker.isSuspect = true
            return
        }
        guard ChildProcess.isStuck(worker.pid) else { return }
        try abandon(worker, resources)
    }

    private func replaceIfHung(_ worker: WorkerHandle) {
        guard worker.state == .serving, !worker.isKilled else { return }
        let finding = worker.watch.look(at: requests)
        if worker.watch.isToAsk {
            worker.watch.asked()
            // If it has ended, or takes nothing more, there will be no answer.
            try? worker.link.ask()
        }
        guard let finding, stuck.count < Self.mostStuck else { return }
        log.error("worker \(worker.pid) hangs, it is replaced: \(finding)")
        worker.isHung = true
        end(worker, now: Clock.monotonic())
    }

    /// Whether it does end, ``checkTime(_:)`` sees to.
    private func end(_ worker: WorkerHandle, now: UInt64) {
        kill(worker.pid, SIGKILL)
        worker.isKilled = true
        worker.deadline = now + Self.deathTime
    }

    // MARK: - Workers

    private func start(
        _ resources: borrowing KeeperResources, _ executable: ProgramFile.Version
    ) throws(SystemError) -> WorkerHandle {
        let ends = try MessageSocket.pair()
        let link = KeeperEnd(FileDescriptor(owning: ends.0))
        let theirs = FileDescriptor(owning: ends.1)
        var setup = WorkerSetup(
            options: options, startedAt: startedAt, startedAtRealtime: startedAtRealtime,
            keeper: getpid())
        setup.afterCrash = afterCrash
        var descriptors: [CInt] = []
        func pass(_ number: CInt) -> CInt {
            descriptors.append(number)
            return ChildProcess.firstDescriptor + CInt(descriptors.count) - 1
        }
        setup.link = pass(theirs.raw)
        setup.containers = pass(resources.containers.raw)
        setup.callers = pass(resources.callers.raw)
        setup.control = pass(resources.control.raw)
        setup.seccomp = pass(resources.seccomp.raw)
        setup.memory = pass(resources.memory.raw)
        setup.kept = kept.all.map {
            WorkerSetup.Kept(
                name: $0.name, payload: $0.payload, descriptor: pass($0.descriptor))
        }
        // An argument may not be as long as this can be.
        let text = try setup.inMemory()
        let argument = "\(pass(text.raw))"
        let pid = try ChildProcess.start(
            executable.file, [program.path, "worker", argument], descriptors: descriptors)
        nextToken += 1
        try poller.add(link.descriptor, token: nextToken)
        return WorkerHandle(
            pid: pid, link: link, token: nextToken, executable: executable,
            deadline: Clock.monotonic() + Self.prepareTime)
    }

    private func startCurrent(_ resources: borrowing KeeperResources) throws(SystemError) {
        do {
            current = try start(resources, program.current)
            afterCrash = false
        } catch {
            if !isComplete { throw error }
            log.error("no worker: \(error)")
            restartAt = Clock.monotonic() + pace.delay(after: .neverServed)
        }
    }

    private func ended(
        _ end: ChildProcess.End, _ resources: borrowing KeeperResources
    ) throws(SystemError) {
        if let worker = next, worker.pid == end.pid {
            hearRest(of: worker)
            next = nil
            log.error("no upgrade: the new worker \(Self.describe(end))")
            tellServing()
            if current == nil { restartAt = Clock.monotonic() }
            return
        }
        guard let worker = current, worker.pid == end.pid else { return }
        hearRest(of: worker)
        current = nil
        if worker.state == .finishing, let successor = next {
            try promote(successor)
            return
        }
        if !isComplete, worker.servingSince == nil {
            throw SystemError("start: the worker", Self.describe(end), errno: ECHILD)
        }
        log.error("worker \(end.pid) \(Self.describe(end))")
        let isKilledByOthers = end.signal == SIGKILL && !worker.isHung
        afterCrash = end.signal != 0 && !isKilledByOthers && end.signal != SIGTERM
        // A new one is on its way already.
        if next != nil { return }
        let kind: RestartPace.Death
        if let since = worker.servingSince {
            kind = .served(
                for: Clock.monotonic() - since, isCrash: !isKilledByOthers)
        } else {
            kind = .neverServed
        }
        let delay = pace.delay(after: kind)
        if delay > 0 { log.notice("a new worker in \(delay / 1_000_000) ms") }
        restartAt = Clock.monotonic() + delay
        try checkTime(resources)
    }

    /// Goes on without a worker that has been killed and is not gone.
    ///
    /// A thread that tells the kernel of new content waits in it for a page that is being
    /// read, whatever signal it gets. That READ may be one that the worker has left unanswered:
    /// then only the next worker can end the wait. A thread that still ran could take a request
    /// after the next worker has looked for such, so none may, see ``ChildProcess/isStuck(_:)``.
    private func abandon(
        _ worker: WorkerHandle, _ resources: borrowing KeeperResources
    ) throws(SystemError) {
        worker.deadline = nil
        log.error("worker \(worker.pid) is stuck in the kernel: going on without it")
        stuck.insert(worker.pid)
        try? poller.remove(worker.link.descriptor)
        try ended(ChildProcess.End(pid: worker.pid, signal: SIGKILL, code: 0), resources)
    }

    private static func describe(_ end: ChildProcess.End) -> String {
        end.signal != 0
            ? "was killed by signal \(end.signal)" : "exited with code \(end.code)"
    }

    private func promote(_ worker: WorkerHandle) throws(SystemError) {
        next = nil
        current = worker
        beginServing(worker)
    }

    private func beginServing(_ worker: WorkerHandle) {
        worker.deadline = Clock.monotonic() + Self.prepareTime
        worker.lookAt = Clock.monotonic() + Self.lookInterval
        // It may have died meanwhile; then its end is noticed soon.
        try? worker.link.serve()
    }

    /// Takes a message from a worker.
    private func hear(
        _ token: UInt64, _ resources: borrowing KeeperResources, _ mount: MountTask?
    ) throws(SystemError) {
        guard
            let worker = [current, next].compactMap({ $0 }).first(where: { $0.token == token })
        else { return }
        guard let message = receive(from: worker) else {
            // Its end is told by SIGCHLD.
            try? poller.remove(worker.link.descriptor)
            return
        }
        switch consume message {
        case .ready:
            worker.deadline = nil
            worker.state = .ready
            if worker === current {
                beginServing(worker)
            } else if let former = current {
                // Only now: until then the former one has served.
                former.state = .finishing
                former.deadline = Clock.monotonic() + Self.finishTime
                try? former.link.finish()
            } else {
                try promote(worker)
            }
        case .serving:
            worker.deadline = nil
            worker.state = .serving
            worker.servingSince = Clock.monotonic()
            if program.current !== worker.executable {
                program.current = worker.executable
                log.notice("upgraded: worker \(worker.pid)")
                replacementIsDue = !program.isOnDisk
            }
            if isComplete {
                tellServing()
            } else {
                try mount?.start(poller, token: Self.mountToken)
            }
        case .keep(let named):
            keep(named)
        case .forget(let name):
            forget(name)
        case .answer:
            worker.watch.answered()
        case .other(let summary):
            if worker.isMisunderstood { break }
            worker.isMisunderstood = true
            log.notice("ignoring of worker \(worker.pid): \(summary)")
        }
    }

    private func receive(from worker: WorkerHandle) -> ToKeeper? {
        do {
            return try worker.link.receive()
        } catch {
            // A worker that talks nonsense is not to take the keeper along.
            log.error("worker \(worker.pid): \(error)")
            kill(worker.pid, SIGKILL)
            return nil
        }
    }

    /// What a worker has sent before its end.
    private func hearRest(of worker: WorkerHandle) {
        while let message = rest(of: worker) {
            switch consume message {
            case .keep(let named): keep(named)
            case .forget(let name): forget(name)
            default: break
            }
        }
    }

    private func rest(of worker: WorkerHandle) -> ToKeeper? {
        do {
            return try worker.link.receiveRest()
        } catch {
            log.error("worker \(worker.pid): \(error)")
            return nil
        }
    }

    private func keep(_ named: consuming NamedDescriptor) {
        let name = named.name
        let payload = named.payload
        // One that is getting ready must have what has come since it was started.
        if let next, next.state != .serving {
            do {
                try next.link.keep(named)
            } catch {
                giveUp(next, name, error)
            }
        }
        let descriptor = named.takeDescriptor()
        let number = descriptor.raw
        let former = kept.storeName(name)
        kept.remove(name)
        let stored = kept.add(descriptor, name: name, payload: payload)
        if stored == nil { log.warning("\(name) is not kept: too many descriptors are") }
        do {
            if let former { try ServiceManager.drop(former) }
            if let stored { try ServiceManager.store(number, stored) }
            try kept.write(to: keptPath)
        } catch {
            log.warning("\(name) would not survive the daemon: \(error)")
        }
    }

    private func forget(_ name: String) {
        if let next, next.state != .serving {
            do {
                try next.link.forget(name: name)
            } catch {
                giveUp(next, name, error)
            }
        }
        let former = kept.storeName(name)
        kept.remove(name)
        do {
            if let former { try ServiceManager.drop(former) }
            try kept.write(to: keptPath)
        } catch {
            log.warning("\(name) would not survive the daemon: \(error)")
        }
    }

    /// A worker that has not been told of something that another one has had kept would serve
    /// without it.
    private func giveUp(_ worker: WorkerHandle, _ name: String, _ error: any Error) {
        log.error("worker \(worker.pid) has not been told of \(name): \(error)")
        kill(worker.pid, SIGKILL)
    }

    private func endWorkers() {
        for worker in [current, next].compactMap({ $0 }) {
            kill(worker.pid, SIGKILL)
            // Not for ever: see `abandon`. What it waits for ends with the connections.
            let start = Clock.monotonic()
            while waitpid(worker.pid, nil, WNOHANG) == 0 {
                let time = Clock.monotonic() - start
                let mayGoOn = time > Self.deathTime && ChildProcess.isStuck(worker.pid)
                if mayGoOn || time > Self.longestDeath { break }
                usleep(500)
            }
        }
        current = nil
        next = nil
    }

    // MARK: - Upgrade

    private var canUpgrade: Bool { isComplete && next == nil && current?.state == .serving }

    /// Starts a worker from the binary that is now on disk; when it is ready, it takes over.
    private func upgrade(_ resources: borrowing KeeperResources) {
        do {
            notify("RELOADING=1\nMONOTONIC_USEC=\(Clock.monotonic() / 1000)")
            next = try start(resources, try program.onDisk())
        } catch {
            log.error("no upgrade: \(error)")
            tellServing()
        }
    }

    /// Executes the program that is now on disk, with the same process number, arguments and
    /// descriptors. Returns only if that fails.
    private func replaceItself(
        _ resources: borrowing KeeperResources
    ) throws(SystemError) {
        // The new keeper must not start a worker beside this one.
        let worker = current
        if let worker {
            worker.state = .finishing
            try? worker.link.finish()
            let deadline = Clock.monotonic() + Self.finishTime
            while Clock.monotonic() < deadline {
                if waitpid(worker.pid, nil, WNOHANG) == worker.pid {
                    current = nil
                    break
                }
                usleep(500)
            }
        }
        endWorkers()
        if let worker { hearRest(of: worker) }
        let stored =
            Array(zip(KeeperResources.names, resources.numbers))
            + kept.all.compactMap { entry in
                kept.storeName(entry.name).map { ($0, entry.descriptor) }
            }
        let error = ServiceManager.execute(
            program.path, CommandLine.arguments, handingOver: stored)
        log.error("the keeper stays as it is: \(error)")
        try startCurrent(resources)
    }

    // MARK: - Small things

    /// Mounting is left, and what workers need, which inherit all this.
    private func giveUpPrivileges() throws(SystemError) {
        try Privileges.keepOnly(
            [.administration, .trace, .setCapabilities], dormant: [.resources, .allFiles])
        try Privileges.forbidNew()
        // It stays across execve(2), and each takes room, of which there is not much.
        if !isReplacement { try SystemCallFilter.keeper.load(options.systemCallFilter) }
    }

    /// Each container that is read keeps a dozen cgroup files open. Workers inherit it.
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
