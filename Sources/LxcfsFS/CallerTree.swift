import CFuse3
import Glibc
import Syscalls

/// The connection that knows opens: `proc` and `sys` of whoever asks, and, for each
/// registered container, the files that need an open file to mean anything (pressure).
///
/// Every open is a snapshot; the kernel caches no content.
final class CallerTree: Tree, @unchecked Sendable {
    private let callers: CallerLookup

    init(host: Host, registry: Registry, callers: CallerLookup) {
        self.callers = callers
        super.init(host: host, registry: registry)
    }

    override func topChildren(slot: UInt32) -> [Child] {
        if slot != 0 { return [child(.proc, slot)] }
        return [child(.proc, 0), child(.sys, 0)] + registry.ids.compactMap(containerChild)
    }

    override func rootChild(_ name: String) -> Child? {
        switch name {
        case "proc": child(.proc, 0)
        case "sys": child(.sys, 0)
        default: containerChild(name)
        }
    }

    override func procChildren(slot: UInt32) -> [Child] {
        let pressure = child(.pressureDirectory, slot)
        return slot == 0 ? super.procChildren(slot: 0) + [pressure] : [pressure]
    }

    override func container(
        of node: NodeID, caller: pid_t, _ worker: Worker
    ) throws(SystemError) -> Container {
        if node.slot != 0 { return try super.container(of: node, caller: caller, worker) }
        return try callers.container(ofCaller: caller, worker)
    }

    override func entryTimeout(_ child: Child) -> Double {
        let file = FixedNode(rawValue: child.node.file)
        // What a name of a container stands for may change, and which CPUs there are
        // depends on who asks.
        return file == .top || file == .singleCPU ? 0 : Self.forever
    }

    override func open(
        _ request: fuse_req_t, _ node: NodeID, _ file: UnsafeMutablePointer<fuse_file_info>
    ) {
        openSnapshot(request, node, file)
    }

    override func read(
        _ request: fuse_req_t, _ node: NodeID, size: Int, offset: Int,
        _ file: UnsafeMutablePointer<fuse_file_info>?
    ) {
        guard let file else {
            fuse_reply_err(request, EBADF)
            return
        }
        readSnapshot(request, size: size, offset: offset, file)
    }

    override func release(
        _ request: fuse_req_t, _ file: UnsafeMutablePointer<fuse_file_info>
    ) {
        releaseSnapshot(request, file)
    }

    private func containerChild(_ id: String) -> Child? {
        registry.container(id: id).map {
            Child(
                name: id, node: NodeID(slot: $0.slot, file: FixedNode.top.rawValue),
                kind: .directory)
        }
    }
}
