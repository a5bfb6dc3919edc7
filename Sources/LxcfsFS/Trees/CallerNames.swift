import Glibc
import LxcfsHandover
import Syscalls

/// The names of the connection that knows opens: `proc` and `sys` of whoever asks, and, for each
/// registered container, the files that need an open file to mean anything (pressure), with links
/// to the others.
struct CallerNames: Names {
    let host: Host
    let registry: Registry
    let callers: CallerLookup
    /// Where the other connection is mounted.
    let tree: String

    var rootEntries: [TreeEntry] { [entry(.proc, 0), entry(.sys, 0)] }

    func topEntries(slot: UInt32) -> [TreeEntry] { [entry(.proc, slot), link(.sys, slot)] }

    func procEntries(slot: UInt32) -> [TreeEntry] {
        let pressure = entry(.pressureDirectory, slot)
        let files = procFiles(slot: slot)
        if slot == 0 { return files + [pressure] }
        return [pressure]
            + FixedNode.procFiles.compactMap { file in
                files.contains { $0.name == file.name } ? link(file, slot) : nil
            }
    }

    /// What leads into the connection of the containers: release 0.1.0 has it on the mountpoint,
    /// and its hook looks for `<id>/proc/meminfo` there.
    private func link(_ file: FixedNode, _ slot: UInt32) -> TreeEntry {
        let node = NodeID(slot: slot, cpu: Int(file.rawValue), file: FixedNode.link.rawValue)
        return TreeEntry(
            name: file.name, node: node, kind: kind(of: node) ?? .link(target: ""))
    }

    func kind(of node: NodeID) -> NodeKind? {
        guard node.file == FixedNode.link.rawValue else { return commonKind(of: node) }
        guard let container = registry.container(slot: node.slot),
            let file = FixedNode(rawValue: UInt32(node.cpu))
        else { return nil }
        let name = file == .sys ? "sys" : "proc/" + file.name
        return .link(target: "\(tree)/\(registry.key(of: container))/\(name)")
    }

    func container(
        of node: NodeID, caller: pid_t, _ workspace: Workspace
    ) throws(SystemError) -> Container {
        if node.slot != 0 { return try container(slot: node.slot) }
        return try host.withDescriptors { () throws(SystemError) in
            try callers.container(ofCaller: caller, workspace)
        }
    }

    /// What a name of a container stands for may change, and which CPUs are online depends on
    /// who asks.
    func timeout(of entry: TreeEntry) -> Double {
        let file = entry.node.file
        return file == FixedNode.top.rawValue || host.catalog.comesAndGoes(file) ? 0 : forever
    }
}
