import Cgroups
import Glibc
import KernelText
import LxcfsHandover
import ProcView
import Syscalls

/// The files of NUMA nodes.
extension Container {
    /// Makes one of ``FixedNode/nodeLists`` in `workspace.out`: the nodes that have something
    /// for the container. The caller holds `lock`.
    func renderNodeList(
        _ list: FixedNode, _ host: Host, _ workspace: Workspace
    ) throws(SystemError) {
        let path = NodeCatalog.path(of: list)
        if showsHost(host) { return try append(path, host.roots.sys, workspace) }
        let wanted =
            list == .nodesWithCPUs
            ? try nodesWithCPUs(host, workspace)
            : CPUList(try memoryNodes(host, workspace).map(\.number))
        let file = try host.roots.sys.open(at: path)
        CPUTopology.renderList(
            host: try workspace.scratch.read(file.raw, path: path), visible: wanted,
            into: workspace.out)
    }

    /// Makes one of ``FixedNode/nodeFiles`` of a node in `workspace.out`. The caller holds `lock`.
    func renderNodeFile(
        _ fixed: FixedNode, of node: Int, _ host: Host, _ workspace: Workspace
    ) throws(SystemError) {
        let path = NodeCatalog.path(of: node, fixed.name)
        if showsHost(host) { return try append(path, host.roots.sys, workspace) }
        let memory: NodeMemory?
        switch fixed {
        case .nodeMeminfo, .nodeVmstat: memory = try nodeMemory(node, host, workspace)
        case .nodeCPUList, .nodeCPUMap:
            try updateVisible(host, workspace)
            memory = nil
        default: memory = nil
        }
        let file = try host.roots.sys.open(at: path)
        let text = try workspace.scratch.read(file.raw, path: path)
        let out = workspace.out
        switch fixed {
        case .nodeCPUList:
            CPUTopology.renderList(host: text, visible: visible.list, into: out)
        case .nodeCPUMap: CPUTopology.renderMask(host: text, visible: visible.list, into: out)
        case .nodeNUMAStat: NodeMemory.renderNUMAStat(host: text, into: out)
        case .nodeMeminfo: memory?.renderMeminfo(host: text, into: out)
        case .nodeVmstat:
            memory?.renderVmstat(
                host: text, pageSize: host.pageSize,
                hugePageSize: host.transparentHugePageSize, into: out)
        default: throw SystemError("read", path, errno: ENOENT)
        }
    }

    /// Makes a file of the catalog of nodes in `workspace.out`, as the host has it.
    ///
    /// - Returns: false if the catalog has no such file.
    func renderNodeCatalogFile(
        _ id: NodeID, _ host: Host, _ workspace: Workspace
    ) throws(SystemError) -> Bool {
        guard let entry = host.nodes.entries[id.file], case .file = entry.kind else {
            return false
        }
        try append(
            host.nodes.hostPath(of: entry, node: id.cpu), host.roots.sys, workspace)
        return true
    }

    private func showsHost(_ host: Host) -> Bool { isHost || host.passesThrough }

    /// The nodes of which the container may have memory: never none.
    private func memoryNodes(
        _ host: Host, _ workspace: Workspace
    ) throws(SystemError) -> [HostNodes.Node] {
        let all = try host.memoryNodes.withMemory(
            sys: host.roots.sys, now: host.now(), maxAge: host.shapeLifetime, workspace.scratch)
        guard let text = try cgroups.readMemoryNodes(workspace.scratch),
            let allowed = CPUList(parsing: text)
        else { return all }
        let both = all.filter { allowed.contains($0.number) }
        return both.isEmpty ? all : both
    }

    private func nodesWithCPUs(
        _ host: Host, _ workspace: Workspace
    ) throws(SystemError) -> CPUList {
        try updateVisible(host, workspace)
        var nodes: [Int] = []
        for node in try NodeCatalog.directories(sys: host.roots.sys) {
            let path = NodeCatalog.path(of: node, FixedNode.nodeCPUList.name)
            let file = try host.roots.sys.open(at: path)
            let cpus = CPUList(parsing: try workspace.scratch.read(file.raw, path: path))
            if !(cpus ?? CPUList([])).intersection(visible.list).isEmpty { nodes.append(node) }
        }
        return CPUList(nodes)
    }

    private func nodeMemory(
        _ node: Int, _ host: Host, _ workspace: Workspace
    ) throws(SystemError) -> NodeMemory {
        let allowed = try memoryNodes(host, workspace)
        // Of a single node all is there.
        let usage =
            allowed.count == 1
            ? [NodeUsage(node: allowed[0].number)]
            : try cgroups.readNodeUsage(
                allowed.map(\.number), pageSize: host.pageSize, workspace.scratch)
        let facts = try readMemory(host, workspace)
        let meminfo = try host.meminfo.with(now: host.now()) {
            Meminfo(facts, host: $1, swap: showSwap)
        }
        return NodeMemory(
            meminfo, node: node,
            of: zip(usage, allowed).map { NodeMemory.Node($0, size: $1.size) })
    }
}
