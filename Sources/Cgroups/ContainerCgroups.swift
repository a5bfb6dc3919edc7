import Glibc
import KernelText
import Syscalls

/// The cgroups of one container, one per controller, ready to be read.
public final class ContainerCgroups: Sendable {
    /// Where the container is in each hierarchy.
    public let paths: CgroupPaths
    let memory: CgroupNode?
    let cpu: CgroupNode?
    let cpuacct: CgroupNode?
    let cpuset: CgroupNode?
    let blkio: CgroupNode?
    let pids: CgroupNode?
    let hugetlb: CgroupNode?
    let unified: CgroupNode?

    /// Finds the directories of `paths` below the mounts of `tree`.
    ///
    /// - Throws: `ENOENT` if a cgroup does not exist or no hierarchy is visible.
    public init(_ paths: CgroupPaths, in tree: CgroupTree) throws(SystemError) {
        self.paths = paths
        func open(_ mount: HierarchyMount?, _ path: String?) throws(SystemError) -> CgroupNode?
        {
            guard let mount, let path, let directory = mount.directory(of: path) else {
                return nil
            }
            return try tree.node(mount, directory)
        }
        let unified = try open(tree.mounts.unified, paths.unified)
        func find(_ controller: Controller) throws(SystemError) -> CgroupNode? {
            if let mount = tree.mounts.legacy(controller) {
                return try open(mount, paths.legacy[controller])
            }
            return unified
        }
        memory = try find(.memory)
        cpu = try find(.cpu)
        cpuacct = try find(.cpuacct)
        cpuset = try find(.cpuset)
        blkio = try find(.blkio)
        pids = try find(.pids)
        hugetlb = try find(.hugetlb)
        self.unified = unified
        if memory == nil, cpu == nil, cpuset == nil {
            throw SystemError("find the cgroup", paths.display, errno: ENOENT)
        }
    }

    /// False once the runtime has removed the container's cgroup.
    public var exist: Bool {
        [memory, cpu, cpuset, unified].allSatisfy { $0?.exists ?? true }
    }

    /// Whether the container is the root of its hierarchies, that is: the host itself.
    public var isRoot: Bool {
        [memory, cpu, cpuset].allSatisfy { $0 == nil || $0?.parent == nil }
    }

    /// Closes the files of the container's own cgroups until they are read again.
    public func closeFiles() {
        for node in [memory, cpu, cpuacct, cpuset, blkio, pids, hugetlb, unified] {
            node?.closeFiles()
        }
    }

    /// The first cgroup from the container upwards that has the file: a controller need not
    /// be enabled down to the container.
    func nearest(
        _ node: CgroupNode?, _ attribute: Attribute, _ scratch: Scratch
    ) throws(SystemError) -> (node: CgroupNode, text: Bytes)? {
        var current = node
        while let at = current {
            if let text = try at.read(attribute, scratch) { return (at, text) }
            current = at.parent
        }
        return nil
    }
}

extension ContainerCgroups {
    /// ceil(quota / period) of the tightest quota on the way to the root.
    public func readQuota(_ scratch: Scratch) throws(SystemError) -> Int? {
        try tightestQuota(scratch).map { tightest in
            Int(
                clamping: max(
                    1, clampedSum(tightest.quota, tightest.period - 1) / tightest.period))
        }
    }

    /// quota / period of the tightest quota on the way to the root: how many CPUs' time the container
    /// may use. nil without a quota.
    public func readCPULimit(_ scratch: Scratch) throws(SystemError) -> Double? {
        try tightestQuota(scratch).map { Double($0.quota) / Double($0.period) }
    }

    private func tightestQuota(
        _ scratch: Scratch
    ) throws(SystemError) -> (quota: UInt64, period: UInt64)? {
        var result: (quota: UInt64, period: UInt64)?
        var current = cpu
        while let node = current, !node.isLegacyRoot {
            if let found = try quota(of: node, scratch) {
                let isTighter = result.map {
                    Double(found.quota) / Double(found.period)
                        < Double($0.quota) / Double($0.period)
                }
                if isTighter ?? true { result = found }
            }
            current = node.parent
        }
        return result
    }

    /// In microseconds; the period is not 0.
    private func quota(
        of node: CgroupNode, _ scratch: Scratch
    ) throws(SystemError) -> (quota: UInt64, period: UInt64)? {
        guard let text = try node.read(.cpuQuota, scratch) else { return nil }
        var scanner = Scanner(text)
        // "max 100000" on v2, "-1" on v1: no quota.
        guard let quota = scanner.number() else { return nil }
        let period: UInt64?
        if node.unified {
            period = scanner.number()
        } else {
            period = try node.number(.cpuPeriod, scratch)
        }
        guard let period, period > 0 else { return nil }
        return (quota, period)
    }

    /// The text of the effective cpuset (list format); nil where no cpuset controller
    /// reaches the container.
    public func readCPUSet(_ scratch: Scratch) throws(SystemError) -> Bytes? {
        try readSet(.cpusEffective, .cpusRequested, scratch)
    }

    /// The same of the NUMA nodes of which the container may have memory.
    public func readMemoryNodes(_ scratch: Scratch) throws(SystemError) -> Bytes? {
        try readSet(.memsEffective, .memsRequested, scratch)
    }

    private func readSet(
        _ effective: Attribute, _ requested: Attribute, _ scratch: Scratch
    ) throws(SystemError) -> Bytes? {
        var current = cpuset
        while let node = current {
            if let text = try node.read(effective, scratch)?.trimmed, !text.isEmpty {
                return text
            }
            // Before Linux 3.17 v1 has only the requested set, which its kernel keeps
            // within that of the parent.
            if let text = try node.read(requested, scratch)?.trimmed, !text.isEmpty {
                return text
            }
            current = node.parent
        }
        return nil
    }

    /// CPU time used by the container; nil where the kernel does not account it.
    public func readCPUTime(_ scratch: Scratch) throws(SystemError) -> CPUTime? {
        guard let (node, text) = try nearest(cpuacct, .cpuStat, scratch) else { return nil }
        let scale = node.unified ? 1000 : Clock.nanosecondsPerTick
        var time = CPUTime()
        var lines = Scanner(text)
        while let line = lines.line() {
            let end = line.firstIndex(of: space, from: 0)
            let name = line.part(0..<end)
            let user = name.equals(node.unified ? "user_usec" : "user")
            guard user || name.equals(node.unified ? "system_usec" : "system"),
                let value = parseNumber(line.part(end..<line.count))
            else { continue }
            let (product, overflow) = value.multipliedReportingOverflow(by: scale)
            let nanoseconds = overflow ? .max : product
            if user { time.user = nanoseconds } else { time.system = nanoseconds }
        }
        return time
    }

    /// CPU time by CPU of the host, in nanoseconds, for the CPUs in order from 0.
    ///
    /// - Returns: false where the kernel has no such numbers (cgroup v2).
    public func readCPUTimePerCPU(
        _ scratch: Scratch, into times: inout [UInt64]
    ) throws(SystemError) -> Bool {
        guard let text = try cpuacct?.read(.cpuUsagePerCPU, scratch) else { return false }
        times.removeAll(keepingCapacity: true)
        var scanner = Scanner(text)
        while let value = scanner.number() { times.append(value) }
        return true
    }

    /// The number of processes and threads in the container; nil where it is not counted.
    public func readTaskCount(_ scratch: Scratch) throws(SystemError) -> UInt64? {
        try pids?.number(.pidsCurrent, scratch)
    }

    /// The text of a pressure file; nil where the kernel keeps none for the container.
    public func readPressure(
        _ kind: PressureKind, _ scratch: Scratch
    ) throws(SystemError) -> Bytes? {
        guard let unified, unified.parent != nil else { return nil }
        switch kind {
        case .cpu: return try unified.read(.pressureCPU, scratch)
        case .io: return try unified.read(.pressureIO, scratch)
        case .memory: return try unified.read(.pressureMemory, scratch)
        }
    }

    /// A pressure file of the container that triggers can be written to
    /// (Documentation/accounting/psi.rst).
    ///
    /// - Parameter privileged: otherwise the kernel refuses what it refuses without
    ///   CAP_SYS_RESOURCE: since Linux 6.5 windows that are not multiples of 2 s, before
    ///   that every trigger (`EPERM`).
    /// - Throws: `EOPNOTSUPP` where the kernel keeps no pressure for the container.
    public func openPressure(
        _ kind: PressureKind, privileged: Bool
    ) throws(SystemError) -> FileDescriptor {
        guard let unified, unified.parent != nil else {
            throw SystemError("open", "pressure/" + kind.rawValue, errno: EOPNOTSUPP)
        }
        let attribute: Attribute =
            switch kind {
            case .cpu: .pressureCPU
            case .io: .pressureIO
            case .memory: .pressureMemory
            }
        return try unified.openForTrigger(attribute, privileged: privileged)
    }
}
