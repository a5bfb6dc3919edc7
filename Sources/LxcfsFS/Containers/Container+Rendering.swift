import Cgroups
import Glibc
import KernelText
import LxcfsHandover
import LxcfsPageCache
import ProcView
import Syscalls

/// The content of each file of a container.
extension Container {
    /// Makes the content of a file in `workspace.out`. Takes `lock`.
    ///
    /// - Throws: `ENODEV` if the cgroup is gone, `EOPNOTSUPP` for a pressure file of which
    ///   the kernel keeps none for the container, `ENOENT` for what does not exist.
    func render(_ node: NodeID, _ host: Host, _ workspace: Workspace) throws(SystemError) {
        lock.lock()
        defer { lock.unlock() }
        workspace.out.clear()
        guard let fixed = FixedNode(rawValue: node.file) else {
            if let block = BlockNode(node) { return try render(block, host, workspace) }
            return try renderCatalogFile(node, host, workspace)
        }
        if isHost || host.passesThrough, try renderHostFile(fixed, host, workspace) { return }
        switch fixed {
        case .meminfo: try renderMeminfo(host, workspace)
        case .swaps: try renderSwapsFile(host, workspace)
        case .stat: try renderStat(host, workspace)
        case .uptime:
            try updateLedger(host, workspace)
            renderUptime(uptime: uptime, idle: counters.ledger.total.idle, into: workspace.out)
        case .loadavg: try renderLoadavg(host, workspace)
        case .vmstat: try renderVmstat(host, workspace)
        case .cpuinfo:
            let changed = try updateVisible(host, workspace)
            let cpuinfo = Cpuinfo(visible: visible.list)
            // A CPU that has just come must be in the text too.
            try host.sharedCpuinfo.append(
                of: host.cpuinfo, now: host.now(), maxAge: changed ? 0 : host.shapeLifetime,
                for: visible.list, to: workspace.out
            ) { cpuinfo.render(host: $0, into: $1) }
        case .diskstats:
            try cgroups.readIO(workspace.scratch, into: &workspace.io)
            try host.diskstats.withText(now: host.now(), maxAge: host.shapeLifetime) {
                ProcView.renderDiskstats(workspace.io, host: $0, into: workspace.out)
            }
        case .slabinfo:
            guard let file = host.slabinfo else {
                throw SystemError("read", "slabinfo", errno: ENOENT)
            }
            try host.sharedSlabinfo.append(
                of: file, now: host.now(), maxAge: host.shapeLifetime, to: workspace.out
            ) { ProcView.renderSlabinfo(host: $0, into: $1) }
        case .pressureCPU: try renderPressure(.cpu, workspace)
        case .pressureIO: try renderPressure(.io, workspace)
        case .pressureMemory: try renderPressure(.memory, workspace)
        case .online:
            try updateVisible(host, workspace)
            workspace.out.append(string: visible.list.text)
            workspace.out.append("\n")
        case .offline: try renderOffline(host, workspace)
        case .present, .possible, .enabled, .isolated:
            try append(CPUCatalog.path(of: fixed), host.roots.sys, workspace)
        case .nodesWithCPUs, .nodesWithMemory, .nodesWithNormalMemory:
            try renderNodeList(fixed, host, workspace)
        case .nodeCPUList, .nodeCPUMap, .nodeMeminfo, .nodeNUMAStat, .nodeVmstat:
            try renderNodeFile(fixed, of: node.cpu, host, workspace)
        case .top, .proc, .sys, .devices, .system, .cpuDirectory, .pressureDirectory,
            .mountPoint, .singleCPU, .nodeDirectory, .singleNode, .devDirectory,
            .blockDirectory:
            throw SystemError("read", fixed.name, errno: EISDIR)
        case .link: throw SystemError("read", "a link", errno: EINVAL)
        }
    }

    private func renderMeminfo(_ host: Host, _ workspace: Workspace) throws(SystemError) {
        let now = host.now()
        let facts = try readMemory(host, workspace)
        try host.meminfo.with(now: host.now()) { text, memory in
            let meminfo = Meminfo(facts, host: memory, swap: showSwap)
            meminfo.render(host: text, into: workspace.out)
            shown = ShownMemory(view: meminfo.view, time: now)
        }
    }

    private func renderSwapsFile(_ host: Host, _ workspace: Workspace) throws(SystemError) {
        let view = try memoryView(try readMemory(host, workspace), host)
        try host.swaps.withText(now: host.now(), maxAge: host.shapeLifetime) {
            ProcView.renderSwaps(view, host: $0, into: workspace.out)
        }
    }

    private func renderStat(_ host: Host, _ workspace: Workspace) throws(SystemError) {
        try updateLedger(host, workspace)
        try updateTasks(host, workspace)
        let stat = Stat(
            ledger: counters.ledger,
            processes: UInt64(max(counters.highestPID, tasks.total)),
            running: UInt64(tasks.runningWithReader),
            blocked: UInt64(tasks.blocked), bootTime: bootTime)
        try host.stat.withText(now: host.now(), maxAge: host.shapeLifetime) {
            stat.render(host: $0, into: workspace.out)
        }
    }

    private func renderVmstat(_ host: Host, _ workspace: Workspace) throws(SystemError) {
        let facts = try readMemory(host, workspace)
        try cgroups.readIO(workspace.scratch, into: &workspace.io)
        let transferred = try host.diskstats.withText(
            now: host.now(), maxAge: host.shapeLifetime
        ) { Transfers(workspace.io, diskstats: $0) }
        let meminfo = try host.meminfo.with(now: host.now()) {
            Meminfo(facts, host: $1, swap: showSwap)
        }
        let vmstat = Vmstat(
            meminfo, transferred: transferred, pageSize: host.pageSize,
            hugePageSize: host.transparentHugePageSize)
        // Last, for it lends the buffer into which everything is read.
        let counters = try cgroups.readMemoryCounters(workspace.scratch)
        try host.vmstat.withText(now: host.now(), maxAge: host.window) {
            vmstat.render(host: $0, counters, into: workspace.out)
        }
    }

    private func renderLoadavg(_ host: Host, _ workspace: Workspace) throws(SystemError) {
        try currentLoad(host, workspace).render(tasks, into: workspace.out)
    }

    private func renderPressure(_ kind: PressureKind, _ workspace: Workspace)
        throws(SystemError)
    {
        guard let text = try cgroups.readPressure(kind, workspace.scratch) else {
            throw SystemError("read", "pressure/" + kind.rawValue, errno: EOPNOTSUPP)
        }
        workspace.out.append(text)
    }

    /// For a caller in the root cgroup: the host's own file, as the kernel shows it in the
    /// caller's time namespace.
    ///
    /// - Returns: false for files that come out the same by the ordinary way.
    private func renderHostFile(
        _ node: FixedNode, _ host: Host, _ workspace: Workspace
    ) throws(SystemError) -> Bool {
        let file: HostFile? =
            switch node {
            case .cpuinfo: host.cpuinfo
            case .diskstats: host.diskstats
            case .loadavg: host.loadavg
            case .meminfo: host.meminfo.file
            case .slabinfo: host.slabinfo
            case .stat: host.stat
            case .swaps: host.swaps
            case .uptime: host.uptime
            case .vmstat: host.vmstat
            default: nil
            }
        if let file {
            try file.withText(now: host.now(), maxAge: host.window) { text in
                switch (node, bootTime) {
                case (.uptime, _?):
                    renderHostUptime(uptime: uptime, host: text, into: workspace.out)
                case (.stat, let bootTime?):
                    renderHostStat(bootTime, host: text, into: workspace.out)
                default: workspace.out.append(text)
                }
            }
            return true
        }
        let pressure: PressureKind? =
            switch node {
            case .pressureCPU: .cpu
            case .pressureIO: .io
            case .pressureMemory: .memory
            default: nil
            }
        guard let pressure else { return false }
        try append("pressure/" + pressure.rawValue, host.roots.proc, workspace)
        return true
    }

    private func renderCatalogFile(
        _ node: NodeID, _ host: Host, _ workspace: Workspace
    ) throws(SystemError) {
        if try renderNodeCatalogFile(node, host, workspace) { return }
        guard let entry = host.catalog.entries[node.file], case .file(let content) = entry.kind
        else { throw SystemError("find", "file \(node.raw)", errno: ENOENT) }
        try updateVisible(host, workspace)
        if entry.extent > visible.extent(of: node.cpu) {
            throw SystemError("find", "\(entry.path) of cpu\(node.cpu)", errno: ENOENT)
        }
        let path = host.catalog.hostPath(of: entry, cpu: node.cpu)
        let isOnline = visible.list.contains(node.cpu)
        if content == .plain || content == .hotplugState && isOnline {
            return try append(path, host.roots.sys, workspace)
        }
        let file = try host.roots.sys.open(at: path)
        let text = try workspace.scratch.read(file.raw, path: path)
        switch content {
        case .plain: break
        case .online: workspace.out.append(isOnline ? "1\n" : "0\n")
        case .hotplugState: workspace.out.append("0\n")
        case .list:
            CPUTopology.renderList(host: text, visible: visible.list, into: workspace.out)
        case .mask:
            CPUTopology.renderMask(host: text, visible: visible.list, into: workspace.out)
        case .numbers:
            let some = CPUTopology.renderNumbers(
                host: text, visible: visible.list, into: workspace.out)
            if !some { throw SystemError("read", path, errno: EBUSY) }
        }
    }

    private func renderOffline(_ host: Host, _ workspace: Workspace) throws(SystemError) {
        try updateVisible(host, workspace)
        let possible = try CPUCatalog.possibleCPUs(sys: host.roots.sys)
        let path = CPUCatalog.path(of: .offline)
        let file = try host.roots.sys.open(at: path)
        CPUTopology.renderOffline(
            host: try workspace.scratch.read(file.raw, path: path), possible: possible,
            visible: visible.list, into: workspace.out)
    }
}

extension Container {
    /// The content of a file at this moment.
    func snapshot(
        of node: NodeID, _ host: Host, _ workspace: Workspace
    ) throws(SystemError) -> Snapshot {
        let time = host.now()
        // Between the end of `render` and this copy nothing else uses the thread's buffer.
        try host.withDescriptors { () throws(SystemError) in try render(node, host, workspace) }
        return Snapshot(workspace.out.bytes, time: time)
    }
}
