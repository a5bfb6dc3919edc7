import Cgroups
import Control
import Glibc
import KernelText
import Syscalls

/// From the thread that makes a request to the container it is in.
///
/// A container is the cgroup of the init of the caller's pid namespace, as it is for lxcfs,
/// if the caller is in that cgroup or below it. Where pods share a pid namespace it is not:
/// then it is the caller's own cgroup.
final class CallerLookup: Sendable {
    private let host: Host
    private let cpuView: CPUView
    private let showSwap: Bool
    private let sampler: LoadSampler
    private let ownNamespace: NamespaceID
    private let ownUserNamespace: NamespaceID
    private let timeNamespaces: TimeNamespaces
    private let poller: Poller

    private struct State {
        /// Init processes by their pid namespace.
        /// Each takes a descriptor.
        var inits = RecentlyUsed<NamespaceID, NamespaceID, InitProcess>(
            limit: min(cacheLimit, descriptorLimit() / 8))
        var containers = RecentlyUsed<Key, ObjectIdentifier, Container>(limit: cacheLimit)
        /// The threads that asked last, by their number: looking at a thread takes longer than
        /// answering it.
        var recent: [Known?] = Array(repeating: nil, count: recentCount)
        /// The same, of more threads and for longer: whose requests theirs are.
        var owners: [Owner?] = Array(repeating: nil, count: ownerCount)
    }
    private let state = Guarded(State())
    private static let recentCount = 256
    private static let ownerCount = 2048
    /// How long a thread's requests are taken to be of the container that it was found in, in
    /// nanoseconds.
    private static let ownerLifetime: UInt64 = 1_000_000_000

    private struct Owner {
        let tid: Int32
        let time: UInt64
        let gate: RequestGate
    }

    private struct Known {
        let tid: Int32
        let time: UInt64
        let container: Container
        /// The outermost pid namespace below ours; nil for ours.
        let outermost: NamespaceID?
    }

    /// Containers of callers that share the host's pid namespace end unnoticed, and one container
    /// may have any number of pid namespaces and cgroups: each takes descriptors.
    private static let cacheLimit = 1024

    private struct Key: Hashable {
        let memory: String
        let cpuset: String
        let initPID: Int32
        let startTime: UInt64
        /// The callers of one container may be in several time namespaces.
        let bootOffset: Int64?
    }

    private final class InitProcess: Sendable {
        let pid: Int32
        let startTime: UInt64
        let namespace: NamespaceID
        /// The outermost pid namespace below ours that this one lies in.
        let outermost: NamespaceID
        let process: FileDescriptor

        init(
            pid: Int32, startTime: UInt64, namespace: NamespaceID, outermost: NamespaceID,
            process: consuming FileDescriptor
        ) {
            self.pid = pid
            self.startTime = startTime
            self.namespace = namespace
            self.outermost = outermost
            self.process = process
        }
    }

    init(
        host: Host, cpuView: CPUView, showSwap: Bool, sampler: LoadSampler, poller: Poller
    ) throws(SystemError) {
        self.host = host
        self.cpuView = cpuView
        self.showSwap = showSwap
        self.sampler = sampler
        self.poller = poller
        ownNamespace = try NamespaceID.own(.process, host.roots.proc)
        ownUserNamespace = try NamespaceID.own(.user, host.roots.proc)
        timeNamespaces = try TimeNamespaces(host.roots.proc)
    }

    /// The container of thread `tid`. That it is in another cgroup now, or another thread has
    /// its number, is noticed when the window is over.
    ///
    /// - Throws: `ESRCH` when the thread cannot be seen from here.
    func container(ofCaller tid: Int32, _ workspace: Workspace) throws(SystemError) -> Container
    {
        guard tid > 0 else {
            throw SystemError("find the container of", "caller", errno: ESRCH)
        }
        let now = host.now()
        if let known = recent(tid, now) { return known.container }
        let (container, outermost) = try find(tid, workspace)
        let found = Known(
            tid: tid, time: now, container: container, outermost: outermost)
        let owner = Owner(tid: tid, time: now, gate: container.gate)
        let former = state.withLock { state in
            defer {
                state.recent[Int(tid) % Self.recentCount] = found
                state.owners[Int(tid) % Self.ownerCount] = owner
            }
            return (
                state.recent[Int(tid) % Self.recentCount],
                state.owners[Int(tid) % Self.ownerCount]
            )
        }
        // What nobody else has ends here, when the lock is free.
        _ = former
        return found.container
    }

    /// Whose the requests of thread `tid` are. Only who waits, and who pays, depends on it: so one that
    /// has been looked at a second ago is not looked at again for that.
    ///
    /// - Throws: as ``container(ofCaller:_:)``.
    func gate(ofCaller tid: Int32, _ workspace: Workspace) throws(SystemError) -> RequestGate {
        if tid > 0, let known = state.withLock({ $0.owners[Int(tid) % Self.ownerCount] }),
            known.tid == tid, clampedDifference(host.now(), known.time) < Self.ownerLifetime
        {
            return known.gate
        }
        return try host.withDescriptors { () throws(SystemError) in
            try container(ofCaller: tid, workspace).gate
        }
    }

    private func recent(_ tid: Int32, _ now: UInt64) -> Known? {
        let known = state.withLock { $0.recent[Int(tid) % Self.recentCount] }
        guard let known, known.tid == tid, clampedDifference(now, known.time) < host.window
        else { return nil }
        return known
    }

    /// Who pays for what thread `tid` has us hold, if it is in no registered container.
    ///
    /// - Parameter user: of the thread, in our user namespace.
    /// - Throws: only for want of descriptors.
    func payer(ofCaller tid: Int32, user: uid_t) throws(SystemError) -> Payer {
        guard tid > 0 else { return .stranger }
        if let known = recent(tid, host.now()) {
            return Payer(known.outermost, user: user)
        }
        do {
            return Payer(try outermostNamespace(of: tid), user: user)
        } catch {
            if error.isOutOfDescriptors { throw error }
            return .stranger
        }
    }

    /// The pid namespace of a thread, as far up as it lies below ours; nil if it is ours.
    private func outermostNamespace(of tid: Int32) throws(SystemError) -> NamespaceID? {
        let file = try openPIDNamespace(of: tid, host.roots.proc)
        let own = NamespaceID(inode: UInt64(try file.status().st_ino))
        if own == ownNamespace { return nil }
        // Just found, as the init of the container was.
        if let known = state.withLock({ $0.inits[own] }) { return known.outermost }
        return try outermost(of: file, own)
    }

    private func outermost(
        of namespace: consuming FileDescriptor, _ own: NamespaceID
    ) throws(SystemError) -> NamespaceID {
        var outermost = own
        var file = namespace
        // The kernel nests them 32 deep.
        for _ in 0..<64 {
            do {
                // One that does not lie below ours has none.
                guard let parent = try parentNamespace(of: file) else { return outermost }
                file = parent
            } catch {
                if error.isOutOfDescriptors { throw error }
                return outermost
            }
            let parent = NamespaceID(inode: UInt64(try file.status().st_ino))
            if parent == ownNamespace { return outermost }
            outermost = parent
        }
        return outermost
    }

    /// - Returns: also the outermost pid namespace below ours that the thread is in; nil for ours.
    private func find(
        _ tid: Int32, _ workspace: Workspace
    ) throws(SystemError) -> (Container, NamespaceID?) {
        let place = try self.place(of: tid, workspace)
        let outermost = try outermostNamespace(of: tid)
        let key = Key(
            memory: place.cgroups.display,
            cpuset: place.cgroups.legacy[.cpuset] ?? "", initPID: place.pid,
            startTime: place.startTime, bootOffset: place.bootOffset)
        if let known = state.withLock({ $0.containers[key] }), known.cgroups.exist {
            return (known, outermost)
        }
        let made = Container(
            id: "", slot: 0, pid: place.pid, startTime: place.startTime, cpuView: cpuView,
            showSwap: showSwap, cgroups: try ContainerCgroups(place.cgroups, in: host.tree),
            watcher: sampler, bootOffset: place.bootOffset, namespace: outermost)
        let (container, forgotten) = state.withLock { state -> (Container, [Container]) in
            // Another thread may have been faster; two would count differently.
            if let known = state.containers[key], known.cgroups.exist { return (known, []) }
            let owner = ObjectIdentifier(made.gate)
            return (made, state.containers.insert(made, for: key, of: owner))
        }
        for container in forgotten { sampler.forget(container) }
        if outermost == nil { forgetGone() }
        return (container, outermost)
    }

    /// Where the container of a process is, and when it started.
    struct Place {
        let pid: Int32
        /// Nanoseconds since boot; 0 is the host itself.
        let startTime: UInt64
        let cgroups: CgroupPaths
        /// What is to be added to our clock since boot, in nanoseconds; nil in our time
        /// namespace. Of the process itself, and not of that init: a caller gets what the kernel's
        /// files would tell it, and of a pod the init is that of another container.
        let bootOffset: Int64?
    }

    /// - Parameter asContainer: the process is known to be a container's, even if it shares
    ///   the host's pid namespace. Otherwise such a process is one of the host, which may
    ///   have a cgroup of its own, such as a service.
    /// - Parameter isStarting: it has not been started, and cannot have moved within its cgroup.
    func place(
        of tid: Int32, asContainer: Bool = false, isStarting: Bool = false,
        _ workspace: Workspace
    ) throws(SystemError) -> Place {
        let namespace = try NamespaceID.of(tid, .process, host.roots.proc)
        if asContainer, namespace != ownNamespace {
            return try place(ofContainerOf: tid, in: namespace, isStarting, workspace)
        }
        let bootOffset = try bootOffset(of: tid, workspace)
        let own = try cgroupPaths(tid, workspace)
        if namespace == ownNamespace {
            return asContainer
                ? Place(
                    pid: tid, startTime: try startTime(tid, workspace),
                    cgroups: isStarting ? own : Self.container(in: own), bootOffset: bootOffset)
                : Place(
                    pid: 1, startTime: 0, cgroups: own.ofContainer, bootOffset: bootOffset)
        }
        guard let known = try initProcess(of: namespace, seenFrom: tid, workspace) else {
            return Place(
                pid: tid, startTime: try startTime(tid, workspace),
                cgroups: Self.container(in: own), bootOffset: bootOffset)
        }
        let outer = Self.container(in: try cgroupPaths(known.pid, workspace))
        return Place(
            pid: known.pid, startTime: known.startTime,
            cgroups: outer.contains(own) ? outer : Self.container(in: own),
            bootOffset: bootOffset)
    }

    /// The same for a process that is to be registered, whose pid namespace is not ours. The
    /// registrar watches the process itself: nothing to remember here.
    private func place(
        ofContainerOf tid: Int32, in namespace: NamespaceID, _ isStarting: Bool,
        _ workspace: Workspace
    ) throws(SystemError) -> Place {
        let pid = try findInit(of: namespace, seenFrom: tid, workspace) ?? tid
        // Before the cgroups: then a number that is used anew meanwhile is noticed, when the
        // process is looked at again.
        let started = try startTime(pid, workspace)
        let bootOffset = try bootOffset(of: tid, workspace)
        let exact = try cgroupPaths(pid, workspace)
        let outer = isStarting && pid == tid ? exact : Self.container(in: exact)
        if pid == tid {
            return Place(
                pid: pid, startTime: started, cgroups: outer, bootOffset: bootOffset)
        }
        let own = try cgroupPaths(tid, workspace)
        return Place(
            pid: pid, startTime: started,
            cgroups: outer.contains(own) ? outer : isStarting ? own : Self.container(in: own),
            bootOffset: bootOffset)
    }

    /// Whether thread `tid` is in the daemon's own pid namespace, as hooks are and processes of
    /// containers are not. False if it cannot be seen from here.
    func sharesNamespace(_ tid: Int32) -> Bool {
        guard tid > 0 else { return false }
        let namespace = try? host.withDescriptors { () throws(SystemError) in
            try NamespaceID.of(tid, .process, host.roots.proc)
        }
        return namespace == ownNamespace
    }

    /// Whether thread `tid` administers this host, as hooks do: it has CAP_SYS_ADMIN in the
    /// daemon's own user namespace, and sees the host's processes anyway. Other users of the host
    /// do not, nor does a container, be it in the host's pid namespace. False if the thread cannot
    /// be seen from here.
    func isAdministrator(_ tid: Int32) -> Bool {
        guard tid > 0, (try? Capability.administration.isInEffect(inThread: tid)) == true else {
            return false
        }
        let namespaces = try? host.withDescriptors { () throws(SystemError) in
            [
                try NamespaceID.of(tid, .process, host.roots.proc),
                try NamespaceID.of(tid, .user, host.roots.proc),
            ]
        }
        return namespaces == [ownNamespace, ownUserNamespace]
    }

    private func initProcess(
        of namespace: NamespaceID, seenFrom tid: Int32, _ workspace: Workspace
    ) throws(SystemError) -> InitProcess? {
        if let known = state.withLock({ $0.inits[namespace] }), processExists(known.process) {
            return known
        }
        guard let pid = try findInit(of: namespace, seenFrom: tid, workspace) else {
            return nil
        }
        let found = InitProcess(
            pid: pid, startTime: try startTime(pid, workspace), namespace: namespace,
            outermost: try outermost(
                of: openPIDNamespace(of: tid, host.roots.proc), namespace),
            process: try openProcess(pid))
        _ = state.withLock { $0.inits.insert(found, for: namespace, of: found.outermost) }
        try poller.add(found.process, token: Wakeup.callerEnded(pid: pid).token)
        return found
    }

    /// Forgets containers in our pid namespace whose cgroups are gone: nobody tells of their end.
    func forgetGone() {
        let shared = state.withLock { state in
            state.containers.values { $0.startTime == 0 }
        }
        let gone = shared.filter { !$0.cgroups.exist }
        if gone.isEmpty { return }
        let forgotten = state.withLock { state in
            for index in state.recent.indices {
                if let known = state.recent[index],
                    gone.contains(where: { $0 === known.container })
                {
                    state.recent[index] = nil
                }
            }
            return state.containers.remove { known in gone.contains { $0 === known } }
        }
        for container in forgotten { sampler.forget(container) }
    }

    /// Forgets the container of an init that has ended.
    ///
    /// - Returns: who does not pay any more: pid namespaces that lay directly below ours.
    func processEnded(pid: Int32) -> [Payer] {
        let (ended, inits, recent) = state.withLock { state in
            let inits = state.inits.remove { $0.pid == pid }
            var recent: [Known] = []
            for index in state.recent.indices {
                guard let known = state.recent[index], known.container.pid == pid else {
                    continue
                }
                recent.append(known)
                state.recent[index] = nil
            }
            return (state.containers.remove { $0.pid == pid }, inits, recent)
        }
        // What nobody else has ends here, when the lock is free.
        _ = recent
        for container in ended { sampler.forget(container) }
        return inits.filter { $0.namespace == $0.outermost }.map {
            Payer($0.outermost, user: 0)
        }
    }

    /// Process 1 of a pid namespace: by the kernel's word (Linux 6.11), else among the
    /// caller's ancestors, else among the processes of its cgroup.
    private func findInit(
        of namespace: NamespaceID, seenFrom tid: Int32, _ workspace: Workspace
    ) throws(SystemError) -> Int32? {
        do {
            return try processID(1, in: try openPIDNamespace(of: tid, host.roots.proc))
        } catch {
            guard error.errno == ENOTTY || error.errno == EINVAL else { throw error }
        }
        // How many ancestors and processes there are the container decides.
        var current = tid
        for _ in 0..<Self.mostAncestors where current > 1 {
            guard (try? NamespaceID.of(current, .process, host.roots.proc)) == namespace else {
                break
            }
            if isInit(current, of: namespace, workspace) { return current }
            guard let parent = try? processStat(current, workspace).parent, parent != current
            else {
                break
            }
            current = parent
        }
        // A process that was brought in from outside has no ancestor in the namespace.
        let own = try ContainerCgroups(try cgroupPaths(tid, workspace), in: host.tree)
        for candidate in try own.processes(workspace.scratch)
        where isInit(candidate, of: namespace, workspace) {
            return candidate
        }
        return nil
    }

    private static let mostAncestors = 64

    private func isInit(_ pid: Int32, of namespace: NamespaceID, _ workspace: Workspace) -> Bool
    {
        (try? NamespaceID.of(pid, .process, host.roots.proc)) == namespace
            && NamespacePIDs(ofProcess: pid, host.roots.proc, workspace.scratch)?.innermost == 1
    }

    /// See ``CgroupPaths/ofContainer``. The root is the host: a container whose own cgroup is called
    /// `/init.scope` is not that.
    private static func container(in paths: CgroupPaths) -> CgroupPaths {
        let container = paths.ofContainer
        return container.isRoot ? paths : container
    }

    // MARK: - Reading /proc/<pid>

    private func cgroupPaths(_ pid: Int32, _ workspace: Workspace) throws(SystemError)
        -> CgroupPaths
    {
        let path = "\(pid)/cgroup"
        let file = try host.roots.proc.open(at: path)
        return CgroupPaths(parsing: try workspace.scratch.read(file.raw, path: path))
    }

    private func processStat(_ pid: Int32, _ workspace: Workspace) throws(SystemError)
        -> ProcessStat
    {
        let path = "\(pid)/stat"
        let file = try host.roots.proc.open(at: path)
        let text = try workspace.scratch.read(file.raw, single: true, path: path)
        guard let stat = ProcessStat(parsing: text) else {
            throw SystemError("understand", "/proc/" + path, errno: EINVAL)
        }
        return stat
    }

    /// See ``TimeNamespaces/shift(of:_:_:)``.
    func bootOffset(of pid: Int32, _ workspace: Workspace) throws(SystemError) -> Int64? {
        try timeNamespaces.shift(of: pid, host.roots.proc, workspace.scratch)
    }

    /// In nanoseconds since boot.
    func startTime(_ pid: Int32, _ workspace: Workspace) throws(SystemError) -> UInt64 {
        try processStat(pid, workspace).startedAt
    }
}
