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
    ///
    /// - Parameter wanted: the only name that matters; others may be left out.
    func nodes(_ slot: UInt32, named wanted: String?) throws(SystemError) -> [TreeEntry] {
        let nodes: [Int]
        if let wanted {
            nodes = [NodeCatalog.number(in: wanted, after: "node")].compactMap(\.self)
                .filter { $0 <= NodeLink.highestNode && has(NodeCatalog.path(of: $0)) }
        } else {
            nodes = try NodeCatalog.directories(sys: host.roots.sys)
        }
        return host.nodes.lists.map { entry($0, slot) }
            + nodes.map { entry(.singleNode, slot, node: $0, name: "node\($0)") }
            + host.nodes.top.compactMap { entry($0, slot, node: 0) }
    }

    /// What is in a `nodeN`.
    ///
    /// - Parameter wanted: the only name that matters; others may be left out.
    func files(
        of node: Int, _ slot: UInt32, named wanted: String?
    ) throws(SystemError) -> [TreeEntry] {
        let cpus: [Int]
        if let wanted {
            cpus = [CPUCatalog.number(ofDirectory: wanted)].compactMap(\.self)
                .filter { has(NodeCatalog.path(of: node, "cpu\($0)")) }
        } else {
            cpus = try NodeCatalog.cpus(of: node, sys: host.roots.sys)
        }
        return host.nodes.files.map { entry($0, slot, node: node) }
            + cpus.compactMap { cpu in
                NodeLink(node: node, cpu: cpu).map { link in
                    let id = link.id(slot: slot)
                    return TreeEntry(
                        name: "cpu\(cpu)", node: id, kind: kind(of: id) ?? .directory)
                }
            } + entries(host.nodes.perNode, named: wanted, slot, node: node)
    }

    private func has(_ path: String) -> Bool { (try? host.roots.sys.status(at: path)) != nil }

    /// What is in a directory of the catalog; nil if it is none of NUMA nodes.
    ///
    /// - Parameter wanted: the only name that matters; others may be left out.
    func entries(of id: NodeID, named wanted: String?) -> [TreeEntry]? {
        guard let parent = host.nodes.entries[id.file], parent.kind == .directory else {
            return nil
        }
        return entries(parent.children, named: wanted, id.slot, node: id.cpu)
    }

    /// Those that this node has: not all have the same.
    private func entries(
        _ numbers: [UInt32], named wanted: String?, _ slot: UInt32, node: Int
    ) -> [TreeEntry] {
        numbers.filter { number in
            guard let entry = host.nodes.entries[number] else { return false }
            if let wanted, entry.name != wanted { return false }
            return has(host.nodes.hostPath(of: entry, node: node))
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
