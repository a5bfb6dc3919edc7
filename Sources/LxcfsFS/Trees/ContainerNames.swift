import Glibc
import LxcfsHandover
import Syscalls

/// The names of the connection of the registered containers: one directory for each, and the
/// places where the parts of the other connection are mounted.
struct ContainerNames: Names {
    let host: Host
    let registry: Registry
    let callers: CallerLookup
    /// How old content may be, in seconds: which CPUs are online is content, and what they have
    /// only then is there or not.
    let window: Double

    let rootEntries = ["proc", "sys", TreeNames.opens].enumerated().map {
        TreeEntry(
            name: $1, node: NodeID(slot: 0, cpu: $0, file: FixedNode.mountPoint.rawValue),
            kind: .directory)
    }

    func topEntries(slot: UInt32) -> [TreeEntry] { [entry(.proc, slot), entry(.sys, slot)] }

    func procEntries(slot: UInt32) -> [TreeEntry] {
        procFiles(slot: slot) + [entry(.pressureDirectory, slot)]
    }

    /// Pressure needs open files, which this connection does not know.
    func kind(of node: NodeID) -> NodeKind? {
        if node.file == FixedNode.pressureDirectory.rawValue {
            guard let container = registry.container(slot: node.slot) else { return nil }
            return .link(
                target: "../../\(TreeNames.opens)/\(registry.key(of: container))/proc/pressure")
        }
        return commonKind(of: node)
    }

    func container(
        of node: NodeID, caller: pid_t, _ workspace: Workspace
    ) throws(SystemError) -> Container {
        try container(slot: node.slot)
    }

    func timeout(of entry: TreeEntry) -> Double {
        switch FixedNode(rawValue: entry.node.file) {
        case .top: 0
        case nil where host.catalog.comesAndGoes(entry.node.file): window
        default: forever
        }
    }
}
