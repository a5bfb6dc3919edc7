import Cgroups
import Glibc
import KernelText
import Logging
import ProcView
import Syscalls

/// What the agent answers to an intercepted call.
final class AgentAnswers: Sendable {
    enum Answer: Equatable {
        /// The caller's memory has been written; the call returns this.
        case value(Int64)
        /// The kernel is to carry out the call.
        case pass
        /// The call fails as it does without an agent: it is none that is to be answered, and
        /// whether it may be made nobody knows.
        case refuse
    }

    private let host: Host
    private let registry: Registry
    private let callers: CallerLookup
    private let mounts: SeenMeminfoLookup
    private let log: Logger
    private let pageSize = UInt64(max(sysconf(CInt(_SC_PAGESIZE)), 1))

    /// Bytes of the largest answer: an affinity mask of 8192 CPUs, the most that Linux is
    /// built for.
    static let largestAnswer = max(1024, Sysinfo.largestSize)

    init(
        host: Host, registry: Registry, callers: CallerLookup, mounts: SeenMeminfoLookup,
        log: Logger
    ) {
        self.host = host
        self.mounts = mounts
        self.registry = registry
        self.callers = callers
        self.log = log
    }

    /// Works out the answer and writes it into the caller's memory.
    ///
    /// - Parameter buffer: of ``largestAnswer`` bytes, aligned to 8.
    func answer(
        _ call: InterceptedCall, _ listener: AgentListener,
        _ buffer: UnsafeMutableRawBufferPointer, _ workspace: Workspace
    ) -> Answer {
        if call.name == .other { return .refuse }
        guard call.tid > 0 else { return .pass }
        do {
            switch call.name {
            case .sysinfo: return try sysinfo(call, listener, buffer, workspace)
            case .schedGetaffinity: return try affinity(call, listener, buffer, workspace)
            case .other: return .refuse
            }
        } catch {
            // A container that ends, a caller that is killed, a bad address: all of them the
            // kernel answers better than we can.
            log.debug("left to the kernel: \(error)")
            return .pass
        }
    }

    private func sysinfo(
        _ call: InterceptedCall, _ listener: AgentListener,
        _ buffer: UnsafeMutableRawBufferPointer, _ workspace: Workspace
    ) throws(SystemError) -> Answer {
        guard let container = try container(of: call, listener, workspace) else { return .pass }
        let layout: SysinfoLayout = call.is32Bit ? .narrow : .wide
        try container.sysinfo(host, workspace).write(layout, pageSize: pageSize, to: buffer)
        let answer = UnsafeRawBufferPointer(rebasing: buffer[..<layout.size])
        return try write(answer, call.arguments.0, call, listener) ? .value(0) : .pass
    }

    private func affinity(
        _ call: InterceptedCall, _ listener: AgentListener,
        _ buffer: UnsafeMutableRawBufferPointer, _ workspace: Workspace
    ) throws(SystemError) -> Answer {
        guard isCaller(Int32(truncatingIfNeeded: call.arguments.0), call.tid, workspace) else {
            return .pass
        }
        // The kernel has its say about lengths that it refuses; it takes shorter masks than its
        // own if all CPUs have room in them.
        let word = call.is32Bit ? 4 : 8
        let length = Int(min(call.arguments.1, UInt64(buffer.count)))
        guard length.isMultiple(of: word) else { return .pass }
        // Half a word at the end is for 32-bit programs alone.
        let asked = length.isMultiple(of: 8) ? length : buffer.count
        let size = try Syscalls.affinity(
            of: call.tid, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<asked]))
        guard size <= length else { return .pass }
        // In its masks, 32-bit words come in another order.
        if call.is32Bit, UInt16(1).bigEndian == 1 { return .pass }
        guard let container = try container(of: call, listener, workspace) else { return .pass }
        let mask = UnsafeMutableRawBufferPointer(rebasing: buffer[..<size])
        let count = try container.visibleCPUCount(host, workspace)
        guard AffinityMask.keepFirst(count, of: mask) else { return .pass }
        let answer = UnsafeRawBufferPointer(mask)
        return try write(answer, call.arguments.2, call, listener)
            ? .value(Int64(size)) : .pass
    }

    /// Whether the thread number `pid`, as the caller counts, means the caller itself.
    private func isCaller(_ pid: Int32, _ tid: Int32, _ workspace: Workspace) -> Bool {
        if pid == 0 { return true }
        guard pid > 0 else { return false }
        do {
            let namespace = try openPIDNamespace(of: tid, host.roots.proc)
            return try processID(pid, in: namespace) == tid
        } catch {
            // Linux before 6.11.
            guard error.errno == ENOTTY || error.errno == EINVAL else { return false }
            return PIDNamespace.ownNumber(of: tid, host.roots.proc, workspace.scratch)
                == Int(pid)
        }
    }

    /// Adds to what the runtime said which container the kernel names for it: that is known only
    /// as long as the process lives.
    func identify(_ origin: ListenerOrigin) -> ListenerOrigin {
        guard origin.cgroup == nil, let pid = origin.pid, pid > 0,
            let place = try? callers.place(of: pid, asContainer: true, Workspace.current)
        else { return origin }
        var complete = origin
        if let container = registered(place.cgroups) {
            complete.initPID = container.pid
            complete.initStart = container.startTime
            complete.cgroup = Self.brief(container.cgroups.paths.display)
        } else if callers.sharesNamespace(pid) {
            complete.cgroup = Self.brief(place.cgroups.display)
        } else {
            // In which of its cgroups a process is, such a container may choose.
            complete.initPID = place.pid
            complete.initStart = place.startTime
            complete.cgroup = ""
        }
        return complete
    }

    /// What stands for a path: it is kept together with the descriptor, where there is not much
    /// room.
    static func brief(_ path: String) -> String {
        if path.utf8.count <= 256 { return path }
        var hash = FNV1a()
        hash.add(path.utf8)
        return "\(hash.value)"
    }

    /// The registered container that has these cgroups, its own or those below.
    private func registered(_ cgroups: CgroupPaths) -> Container? {
        let path = cgroups.display
        let outer = registry.all.filter { container in
            let paths = container.cgroups.paths
            return path.utf8.starts(with: paths.display.utf8) && !paths.isRoot
                && paths.contains(cgroups)
        }
        return outer.max {
            $0.cgroups.paths.display.utf8.count < $1.cgroups.paths.display.utf8.count
        }
    }

    /// The container whose `/proc/meminfo` the caller reads, so that files and calls answer
    /// from one model; nil if that file is not ours.
    private func container(
        of call: InterceptedCall, _ listener: AgentListener, _ workspace: Workspace
    ) throws(SystemError) -> Container? {
        switch try seen(by: call.tid, listener) {
        case .foreign: return nil
        case .caller: break
        case .container(let id):
            guard let known = registry.container(key: id) else { break }
            if known.id == listener.origin.id, isMeant(known, by: listener, workspace) {
                return known
            }
        case .own:
            guard let id = listener.origin.id else { break }
            for known in registry.containers(id: id)
            where isMeant(known, by: listener, workspace) {
                return known
            }
        }
        let found = try callers.container(ofCaller: call.tid, workspace)
        return found.isHost ? nil : found
    }

    private func isMeant(
        _ known: Container, by listener: AgentListener, _ workspace: Workspace
    ) -> Bool {
        if known === listener.container { return true }
        guard isSame(known, listener.origin, workspace) else { return false }
        listener.container = known
        return true
    }

    private func seen(
        by tid: Int32, _ listener: AgentListener
    ) throws(SystemError) -> SeenMeminfo {
        let now = host.now()
        if let last = listener.lastSeen, last.tid == tid,
            clampedDifference(now, last.time) < host.window
        {
            return last.seen
        }
        let seen = try mounts.seen(by: tid, &listener.seen)
        listener.lastSeen = (tid, seen, now)
        return seen
    }

    /// Whether the registered container is the one that was meant: ids are only unique for
    /// one runtime.
    private func isSame(
        _ known: Container, _ origin: ListenerOrigin, _ workspace: Workspace
    ) -> Bool {
        guard let pid = origin.pid, pid > 0,
            let place = try? callers.place(of: pid, asContainer: true, workspace)
        else { return false }
        return known.pid == place.pid && known.startTime == place.startTime
            && known.cgroups.paths == place.cgroups
    }

    /// - Returns: false if the caller is gone, or may not write there.
    private func write(
        _ bytes: UnsafeRawBufferPointer, _ address: UInt64, _ call: InterceptedCall,
        _ listener: AgentListener
    ) throws(SystemError) -> Bool {
        guard SeccompNotify.isWaiting(listener.descriptor, call.id) else { return false }
        return try Aide.write(bytes, toCaller: call.tid, at: address, host.roots.proc)
    }
}
