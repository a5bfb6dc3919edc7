import LxcfsHandover
import Syscalls

/// `/sys/devices/system/node`: the directories of the kernel, with what it has in them.
struct NUMANames {
    let host: Host

    /// What a node id is that is no ``FixedNode``; nil if it is nothing of NUMA nodes.
    func kind(of id: NodeID) -> NodeKind? {
        if let link = NodeLink(id) { return .link(target: "../../cpu/cpu\(link.cpu)") }
        return host.nodes.entries[id.file].map { NodeKind($0.kind) }
    }

    /// The directory itself; nil where the kernel knows no NUMA nodes.
    func directory(_ slot: UInt32) -> TreeEntry? {
        host.nodes.exists ? entry(.nodeDirectory, slot) : nil
    }

    /// What is in it.
    func nodes(_ slot: UInt32) throws(SystemError) -> [TreeEntry] {
        let nodes = try NodeCatalog.directories(sys: host.roots.sys)
        return host.nodes.lists.map { entry($0, slot) }
            + nodes.map { entry(.singleNode, slot, node: $0, name: "node\($0)") }
            + host.nodes.top.compactMap { entry($0, slot, node: 0) }
    }

    /// What is in a `nodeN`.
    func files(of node: Int, _ slot: UInt32) throws(SystemError) -> [TreeEntry] {
        let cpus = try NodeCatalog.cpus(of: node, sys: host.roots.sys)
        return host.nodes.files.map { entry($0, slot, node: node) }
            + cpus.compactMap { cpu in
                NodeLink(node: node, cpu: cpu).map { link in
                    let id = link.id(slot: slot)
                    return TreeEntry(
                        name: "cpu\(cpu)", node: id, kind: kind(of: id) ?? .directory)
                }
            } + entries(host.nodes.perNode, slot, node: node)
    }

    /// What is in a directory of the catalog; nil if it is none of NUMA nodes.
    func entries(of id: NodeID) -> [TreeEntry]? {
        guard let parent = host.nodes.entries[id.file], parent.kind == .directory else {
            return nil
        }
        return entries(parent.children, id.slot, node: id.cpu)
    }

    /// Those that this node has: not all have the same.
    private func entries(_ numbers: [UInt32], _ slot: UInt32, node: Int) -> [TreeEntry] {
        numbers.filter { number in
            guard let entry = host.nodes.entries[number] else { return false }
            let path = host.nodes.hostPath(of: entry, node: node)
            return (try? host.roots.sys.status(at: path)) != nil
        }.compactMap { entry($0, slot, node: node) }
    }

    private func entry(_ number: UInt32, _ slot: UInt32, node: Int) -> TreeEntry? {
        host.nodes.entries[number].map {
            TreeEntry(
                name: $0.name,
                node: NodeID(slot: slot, cpu: $0.perCPU ? node : 0, file: number),
                kind: NodeKind($0.kind))
        }
    }

    private func entry(
        _ fixed: FixedNode, _ slot: UInt32, node: Int = 0, name: String? = nil
    ) -> TreeEntry {
        TreeEntry(
            name: name ?? fixed.name,
            node: NodeID(slot: slot, cpu: node, file: fixed.rawValue),
            kind: fixed.isDirectory ? .directory : .file(mode: 0o444))
    }
}
