import Glibc
import LxcfsHandover
import Syscalls

/// The names of the connection that knows opens: `proc` and `sys` of whoever asks, and, for each
/// registered container, the files that need an open file to mean anything (pressure).
struct CallerNames: Names {
    let host: Host
    let registry: Registry
    let callers: CallerLookup

    func topEntries(slot: UInt32) -> [TreeEntry] {
        if slot != 0 { return [entry(.proc, slot)] }
        return [entry(.proc, 0), entry(.sys, 0)] + registry.ids.compactMap(containerEntry)
    }

    func rootEntry(_ name: String) -> TreeEntry? {
        switch name {
        case "proc": entry(.proc, 0)
        case "sys": entry(.sys, 0)
        default: containerEntry(name)
        }
    }

    func procEntries(slot: UInt32) -> [TreeEntry] {
        let pressure = entry(.pressureDirectory, slot)
        return slot == 0 ? procFiles(slot: 0) + [pressure] : [pressure]
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
