import Cgroups
import Control
import Glibc
import KernelText
import Logging
import LxcfsHandover
import Syscalls

/// Registers containers and drops them again. Only used on the main thread.
final class Registrar {
    private let host: Host
    private let registry: Registry
    private let callers: CallerLookup
    private let sampler: LoadSampler
    private let state: StateDirectory
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
    }

    init(
        host: Host, registry: Registry, callers: CallerLookup, sampler: LoadSampler,
        state: StateDirectory, options: DaemonOptions, log: Logger
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

    /// - Returns: the container's directory.
    func register(_ request: Request, _ poller: Poller) throws -> String {
        guard let id = request.id else { throw Refusal("the request names no container id") }
        if let objection = Registry.objection(toID: id) { throw Refusal(objection) }
        guard let pid = request.pid, pid > 0 else {
            throw Refusal("the request names no process")
        }
        return try host.withDescriptors { () throws(SystemError) in
            try register(id, pid, request, poller)
        }
    }

    private func register(
        _ id: String, _ pid: Int32, _ request: Request, _ poller: Poller
    ) throws(SystemError) -> String {
        let place = try callers.place(of: pid, asContainer: true, workspace)
        let view = request.cpus ?? options.cpuView
        if let known = registry.container(id: id), known.startTime == place.startTime,
            known.pid == place.pid, known.cgroups.paths == place.cgroups,
            known.cpuView == view, known.bootOffset == place.bootOffset, known.cgroups.exist
        {
            return directory(of: id)
        }
        let cgroups = try ContainerCgroups(place.cgroups, in: host.tree)
        try addNew(
            Container(
                id: id, slot: try registry.takeSlot(), pid: place.pid,
                startTime: place.startTime, cpuView: view, showSwap: options.showSwap,
                cgroups: cgroups, watcher: sampler, bootOffset: place.bootOffset), poller)
        log.info("registered \(id), cgroup \(place.cgroups.display)")
        return directory(of: id)
    }

    /// False as long as an earlier worker registers and drops containers.
    private var isResponsible = false
    /// The state files that have been taken up, by name, with their inodes.
    private var restored: [String: UInt64] = [:]

    /// Takes up the containers that an earlier worker knew and that still exist.
    ///
    /// - Parameter isFinal: false if that worker still works and has to be asked again later;
    ///   only what has changed is read then.
    func restore(_ poller: Poller, isFinal: Bool) throws(SystemError) {
        if isFinal { try state.sweep() }
        let content = try state.read(except: restored)
        let present = content.present
        for complaint in content.complaints { log.warning("ignored: \(complaint)") }
        for (name, inode) in restored where present[name] != inode {
            restored[name] = nil
            let id = StateDirectory.id(ofFile: name)
            // Only gone, or registered anew: then another one is read below.
            if let container = registry.container(id: id) {
                processes[container.slot] = nil
                leaving[container.slot] = nil
                _ = registry.remove(slot: container.slot)
            }
        }
        for (known, name) in content.states.sorted(by: { $0.0.slot < $1.0.slot }) {
            do {
                let cgroups = try ContainerCgroups(known.cgroups, in: host.tree)
                try add(
                    Container(
                        id: known.id, slot: known.slot, pid: known.pid,
                        startTime: known.startTime, cpuView: known.cpus,
                        showSwap: options.showSwap, cgroups: cgroups, watcher: sampler,
                        suspendedBefore: known.suspendedBefore ?? Clock.suspended(),
                        bootOffset: bootOffset(of: known)),
                    poller)
                restored[name] = present[name]
                log.debug("restored \(known.id)")
            } catch {
                guard isFinal else { continue }
                log.info("forgot \(known.id): \(error)")
                try state.remove(id: known.id)
            }
        }
        if isFinal {
            log.info("restored \(registry.count) containers")
            restored = [:]
            isResponsible = true
            examineLeaving()
        }
    }

    /// Of a container of release 0.1.0 its init is asked, as long as it lives.
    private func bootOffset(of known: ContainerState) -> Int64? {
        if known.knowsTime == true { return known.bootOffset }
        let started = try? callers.startTime(known.pid, workspace)
        guard started == known.startTime else { return nil }
        return (try? callers.bootOffset(of: known.pid, workspace)) ?? nil
    }

    private func addNew(_ container: Container, _ poller: Poller) throws(SystemError) {
        try add(container, poller)
        do {
            try state.write(ContainerState(container))
        } catch {
            // It is served all the same; only a later worker will not know it.
            log.warning("the state of \(container.id) is not kept: \(error)")
        }
    }

    private func add(_ container: Container, _ poller: Poller) throws(SystemError) {
        var process: OwnedProcess?
        do {
            process = OwnedProcess(try openProcess(container.pid))
        } catch {
            // Otherwise it has ended.
            if error.isOutOfDescriptors { throw error }
        }
        let former = registry.add(container)
        if let former { log.notice("\(former.id) is registered anew") }
        if let process, isSame(container) {
            try poller.add(
                process.descriptor, token: Wakeup.containerEnded(slot: container.slot).token)
            processes[container.slot] = process
        } else {
            leave(container.slot)
        }
    }

    /// Whether the process that the container was registered with still has its number.
    private func isSame(_ container: Container) -> Bool {
        if container.startTime == 0 { return true }
        return (try? callers.startTime(container.pid, workspace)) == container.startTime
    }

    private func directory(of id: String) -> String {
        host.tree(options) + "/" + id
    }

    // MARK: - Going

    func unregister(id: String) {
        if let container = registry.container(id: id) { drop(container, "on request") }
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
    var nextLook: UInt64? { leaving.values.map(\.lookAt).min() }

    /// Drops the containers whose cgroup is gone or empty. One that is still in use (its
    /// init shared the pid namespace of others) is looked at again, less and less often.
    func examineLeaving() {
        let now = Clock.monotonic()
        for (slot, departure) in leaving where departure.lookAt <= now {
            guard let container = registry.container(slot: slot) else {
                leaving[slot] = nil
                continue
            }
            if isInUse(container) {
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
        _ = registry.remove(slot: container.slot)
        sampler.discard(container)
        if registry.container(id: container.id) == nil {
            do {
                try state.remove(id: container.id)
            } catch {
                log.warning("\(error)")
            }
        }
        log.info("dropped \(container.id): \(reason)")
    }

    // MARK: - Telling

    func summary(of container: Container) -> ContainerSummary {
        let sizes = container.sizes(host, workspace)
        return ContainerSummary(
            id: container.id, pid: container.pid, uptime: Double(container.age) / 1e9,
            cgroup: container.cgroups.paths.display, cpus: sizes.cpus,
            memoryTotal: sizes.memory, isRunning: processes[container.slot] != nil)
    }
}
