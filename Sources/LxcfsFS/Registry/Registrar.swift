import Cgroups
import Control
import Glibc
import KernelText
import Logging
import LxcfsHandover
import ProcView
import Syscalls

/// Registers containers and drops them again. Only used on the main thread.
final class Registrar {
    private let host: Host
    private let registry: Registry
    private let callers: CallerLookup
    private let sampler: LoadSampler
    private let state: StateStore
    private let options: DaemonOptions
    private let log: Logger
    private let workspace = Workspace.current

    /// The init processes, by slot: readable when they have ended.
    private var processes: [UInt32: OwnedProcess] = [:]
    /// Containers whose init has ended but whose cgroup is still in use.
    private var leaving: [UInt32: Departure] = [:]

    private final class OwnedProcess {
        let descriptor: FileDescriptor
        init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
    }

    private struct Departure {
        var lookAt: UInt64
        var wait: UInt64
        /// Nobody has seen the end of its init; that is looked for a few times.
        var mayLive = false
    }

    init(
        host: Host, registry: Registry, callers: CallerLookup, sampler: LoadSampler,
        state: StateStore, options: DaemonOptions, log: Logger
    ) {
        self.host = host
        self.registry = registry
        self.callers = callers
        self.sampler = sampler
        self.state = state
        self.options = options
        self.log = log
    }

    // MARK: - Coming

    func register(_ request: Request, _ poller: Poller) throws -> Reply {
        guard let id = request.id else { throw Refusal("the request names no container id") }
        if let objection = ContainerKey.objection(toID: id) { throw Refusal(objection) }
        guard let pid = request.pid, pid > 0 else {
            throw Refusal("the request names no process")
        }
        let container = try host.withDescriptors { () throws(SystemError) in
            try register(id, pid, request, poller)
        }
        var reply = Reply(path: host.tree(options) + "/" + registry.key(of: container))
        if container.id != id { reply.id = container.id }
        return reply
    }

    private func register(
        _ id: String, _ pid: Int32, _ request: Request, _ poller: Poller
    ) throws(SystemError) -> Container {
        let place = try callers.place(
            of: pid, asContainer: true, isStarting: request.isStarting == true, workspace)
        let origin = ContainerOrigin(
            process: pid, startTime: try callers.startTime(pid, workspace),
            bundle: request.bundle)
        let view = request.cpus ?? options.cpuView
        let known = container(at: place, id: request.isGuess == true ? nil : id)
        if let known, known.cpuView == view, known.bootOffset == place.bootOffset {
            return known
        }
        let id = known?.id ?? id
        // It may have moved its init into a cgroup of its own making since.
        let cgroups: ContainerCgroups
        if let known {
            cgroups = known.cgroups
        } else {
            cgroups = try ContainerCgroups(place.cgroups, in: host.tree)
        }
        let container = Container(
            id: id, slot: try registry.takeSlot(), pid: place.pid, startTime: place.startTime,
            cpuView: view, showSwap: options.showSwap, cgroups: cgroups, watcher: sampler,
            bootOffset: place.bootOffset)
        origins[container.slot] = known.flatMap { origins[$0.slot] } ?? origin
        do {
            try addNew(container, replacing: known ?? predecessor(id: id), poller)
        } catch {
            origins[container.slot] = nil
            throw error
        }
        let key = registry.key(of: container)
        // One line for each container that comes and goes is for those who look for a fault.
        log.debug(
            """
            registered \(id)\(key == id ? "" : " as \(key)"), cgroup \
            \(container.cgroups.paths.display)
            """)
        return container
    }

    /// The registered container that a process is in: the one with its init, and with its cgroup or
    /// one above it. What that cgroup is called does not matter.
    ///
    /// - Parameter id: nil if any will do.
    private func container(at place: CallerLookup.Place, id: String?) -> Container? {
        registry.all.filter { known in
            known.pid == place.pid && known.startTime == place.startTime
                && (id == nil || known.id == id) && known.cgroups.exist
                && (known.cgroups.paths == place.cgroups
                    || !known.cgroups.isRoot && known.cgroups.paths.contains(place.cgroups))
        }.max { $0.slot < $1.slot }
    }

    /// Who had the id before: a container that has ended and is still in use. One that lives is
    /// another runtime's, or in another root of the same one, and keeps its name.
    private func predecessor(id: String) -> Container? {
        for container in registry.containers(id: id) where hasEnded(container) {
            if isInUse(container) { return container }
            drop(container, "another one has its id")
        }
        return nil
    }

    /// False as long as an earlier worker registers and drops containers.
    private var isResponsible = false
    /// The state files that have been taken up, by name.
    private var restored: [String: (inode: UInt64, slot: UInt32)] = [:]
    /// How containers came to be registered, by slot; those of release 0.1.0 are not in it.
    private var origins: [UInt32: ContainerOrigin] = [:]

    /// Takes up the containers that an earlier worker knew and that still exist.
    ///
    /// - Parameter isFinal: false if that worker still works and has to be asked again later;
    ///   only what has changed is read then.
    func restore(_ poller: Poller, isFinal: Bool) throws(SystemError) {
        if isFinal { try state.sweep() }
        let content = try state.read(except: restored.mapValues(\.inode))
        let present = content.present
        for complaint in content.complaints { log.warning("ignored: \(complaint)") }
        for (name, file) in restored where present[name] != file.inode {
            restored[name] = nil
            // Only gone, or registered anew: then another one is read below.
            processes[file.slot] = nil
            leaving[file.slot] = nil
            origins[file.slot] = nil
            _ = registry.remove(slot: file.slot)
        }
        for (known, name) in content.states.sorted(by: { $0.0.slot < $1.0.slot }) {
            do {
                try restore(known, poller)
                restored[name] = present[name].map { ($0, known.slot) }
                log.debug("restored \(known.id)")
            } catch {
                guard isFinal else { continue }
                log.info("forgot \(known.id): \(error)")
                try state.remove(file: name)
            }
        }
        if isFinal {
            let count = registry.count
            if count > 0 { log.info("restored \(count) container\(count == 1 ? "" : "s")") }
            restored = [:]
            isResponsible = true
            examineLeaving()
        }
    }

    private func restore(_ known: ContainerState, _ poller: Poller) throws(SystemError) {
        // Left by a worker that has died while it gave the container another key.
        guard registry.container(slot: known.slot) == nil else {
            throw SystemError("take up", "container \(known.slot)", errno: EEXIST)
        }
        let cgroups = try ContainerCgroups(known.cgroups, in: host.tree)
        if let cgroup = known.cgroup, cgroups.id != cgroup {
            // Another one has been made under its path.
            throw SystemError("find the cgroup", known.cgroups.display, errno: ENOENT)
        }
        let container = Container(
            id: known.containerID, slot: known.slot, pid: known.pid,
            startTime: known.startTime, cpuView: known.cpus, showSwap: options.showSwap,
            cgroups: cgroups, watcher: sampler,
            suspendedBefore: known.suspendedBefore ?? Clock.suspended(),
            bootOffset: bootOffset(of: known))
        try watch(container, poller)
        registry.add(container, key: known.id)
        origins[known.slot] = known.origin
    }

    /// Of a container of release 0.1.0 its init is asked, as long as it lives.
    private func bootOffset(of known: ContainerState) -> Int64? {
        if known.knowsTime == true { return known.bootOffset }
        let started = try? callers.startTime(known.pid, workspace)
        guard started == known.startTime else { return nil }
        return (try? callers.bootOffset(of: known.pid, workspace)) ?? nil
    }

    /// - Parameter former: whose key it gets; nil if it gets one that no other one has.
    private func addNew(
        _ container: Container, replacing former: Container?, _ poller: Poller
    ) throws(SystemError) {
        try watch(container, poller)
        if let former {
            _ = registry.add(container, replacing: former)
            log.notice("\(former.id) is registered anew")
            // Before the file is written over that says where its files are.
            keep(former)
        } else {
            registry.add(container)
        }
        keep(container)
    }

    private func keep(_ container: Container) {
        state.write(
            ContainerState(
                container, key: registry.key(of: container), origins[container.slot]))
    }

    private func watch(_ container: Container, _ poller: Poller) throws(SystemError) {
        var process: OwnedProcess?
        do {
            process = OwnedProcess(try openProcess(container.pid))
        } catch {
            // Otherwise it has ended.
            if error.isOutOfDescriptors { throw error }
        }
        if let process, isSame(container) {
            try poller.add(
                process.descriptor, token: Wakeup.containerEnded(slot: container.slot).token)
            processes[container.slot] = process
        } else {
            leaving[container.slot] = Departure(lookAt: Clock.monotonic(), wait: 100_000_000)
        }
    }

    /// Whether the process that the container was registered with still has its number.
    private func isSame(_ container: Container) -> Bool {
        if container.startTime == 0 { return true }
        return (try? callers.startTime(container.pid, workspace)) == container.startTime
    }

    /// Whether the container's own init has ended, or is a zombie. Of a container of release 0.1.0 it
    /// is not known which one that is.
    private func hasEnded(_ container: Container) -> Bool {
        guard let origin = origins[container.slot] else { return !isInUse(container) }
        guard let process = try? openProcess(origin.process),
            (try? callers.startTime(origin.process, workspace)) == origin.startTime
        else { return true }
        return processHasEnded(process)
    }

    // MARK: - Going

    func unregister(_ request: Request) throws(Refusal) {
        if let pid = request.pid { return unregister(pid: pid, id: request.id) }
        guard let id = request.id else { throw Refusal("the request names no container id") }
        let named = registry.containers(id: id)
        if request.hasEnded != true, named.count == 1 {
            // Release 0.1.0's hook, which may have detached its files.
            for container in named { drop(container, "on request") }
            return
        }
        for container in named {
            guard hasEnded(container) else {
                // Another one's end is told, or its processes have been killed just now.
                expectEnd(of: container.slot)
                continue
            }
            let mayBeMeant = origins[container.slot]?.mayBe(of: request.bundle) ?? true
            if mayBeMeant || !isInUse(container) { drop(container, "on request") }
        }
    }

    /// Drops the container of a process, under all the ids that it is registered with, or the one
    /// that is named if it is among them.
    private func unregister(pid: Int32, id: String?) {
        let place = try? callers.place(of: pid, asContainer: true, workspace)
        let found = registry.all.filter { known in
            if let place, known.pid == place.pid, known.startTime == place.startTime {
                return known.cgroups.paths.contains(place.cgroups)
            }
            return origins[known.slot]?.process == pid && hasEnded(known)
        }
        let named = found.filter { $0.id == id }
        for container in named.isEmpty ? found : named { drop(container, "on request") }
    }

    /// Looks at a container of which a runtime may have said that it has ended, for a while.
    private func expectEnd(of slot: UInt32) {
        guard leaving[slot] == nil else { return }
        let wait: UInt64 = 20_000_000
        leaving[slot] = Departure(lookAt: Clock.monotonic() + wait, wait: wait, mayLive: true)
    }

    /// The init of the container in `slot` has ended.
    func processEnded(slot: UInt32) {
        processes[slot] = nil
        leave(slot)
    }

    private func leave(_ slot: UInt32) {
        leaving[slot] = Departure(lookAt: Clock.monotonic(), wait: 100_000_000)
        if isResponsible { examineLeaving() }
    }

    /// When to call ``examineLeaving()`` next, on the monotonic clock.
    var nextLook: UInt64? {
        [leaving.values.map(\.lookAt).min(), state.nextTry].compactMap(\.self).min()
    }

    /// Drops the containers whose cgroup is gone or empty. One that is still in use (its
    /// init shared the pid namespace of others) is looked at again, less and less often.
    func examineLeaving() {
        let now = Clock.monotonic()
        state.retry(now: now)
        for (slot, departure) in leaving where departure.lookAt <= now {
            guard let container = registry.container(slot: slot) else {
                leaving[slot] = nil
                continue
            }
            if departure.mayLive, !hasEnded(container) {
                let wait = departure.wait * 2
                leaving[slot] =
                    wait > 5_000_000_000
                    ? nil : Departure(lookAt: now + wait, wait: wait, mayLive: true)
            } else if isInUse(container) {
                let wait = min(departure.wait * 2, 30_000_000_000)
                leaving[slot] = Departure(lookAt: now + wait, wait: wait)
            } else {
                drop(container, "its cgroup is gone or empty")
            }
        }
    }

    private func isInUse(_ container: Container) -> Bool {
        // The root cgroup always has processes.
        if container.cgroups.isRoot || !container.cgroups.exist { return false }
        do {
            return try container.cgroups.haveTasks(workspace.scratch)
        } catch {
            return error.errno != ENODEV && error.errno != ENOENT
        }
    }

    private func drop(_ container: Container, _ reason: String) {
        processes[container.slot] = nil
        leaving[container.slot] = nil
        origins[container.slot] = nil
        let removed = registry.remove(slot: container.slot)
        sampler.discard(container)
        if let removed {
            do {
                try state.remove(key: removed.key)
            } catch {
                log.warning("\(error)")
            }
        }
        log.debug("dropped \(container.id): \(reason)")
    }

    // MARK: - Telling

    /// - Parameter watchesLoad: see ``Request/watchesLoad``.
    func usage(of container: Container, watchesLoad: Bool) -> ContainerUsage {
        let figures = container.figures(watchesLoad: watchesLoad, host, workspace)
        let key = registry.key(of: container)
        var usage = ContainerUsage()
        usage.id = key
        usage.name = key == container.id ? nil : container.id
        usage.pid = container.pid
        usage.uptime = Double(container.uptime) / 1e9
        usage.cpus = figures.cpus
        usage.cpuQuota = figures.cpuQuota
        usage.cpuTime = figures.cpuTime
        usage.readAt = figures.readAt
        usage.memoryTotal = figures.memory?.total
        usage.memoryAvailable = figures.memory?.available
        usage.swapTotal = figures.memory?.swapTotal
        usage.swapFree = figures.memory?.swapFree
        usage.tasks = figures.tasks
        usage.load = figures.load?.values.map { Double(LoadAverage.hundredths(of: $0)) / 100 }
        if !figures.pressure.isEmpty {
            usage.pressure = Dictionary(
                uniqueKeysWithValues: figures.pressure.map { ($0.kind.rawValue, $0.some) })
        }
        return usage
    }

    func summary(of container: Container) -> ContainerSummary {
        let sizes = container.sizes(host, workspace)
        let key = registry.key(of: container)
        return ContainerSummary(
            id: key, pid: container.pid, uptime: Double(container.age) / 1e9,
            cgroup: container.cgroups.paths.display, cpus: sizes.cpus,
            memoryTotal: sizes.memory,
            isRunning: processes[container.slot] != nil,
            name: key == container.id ? nil : container.id)
    }
}
