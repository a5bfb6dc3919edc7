import CFuse3
import Glibc
import KernelText
import LxcfsHandover
import Syscalls

/// The connection that knows opens: `proc` and `sys` of whoever asks, and, for each
/// registered container, the files that need an open file to mean anything (pressure).
///
/// Every open is a snapshot; the kernel caches no content.
final class CallerTree: Tree, @unchecked Sendable {
    private let callers: CallerLookup
    private let watcher = PressureWatcher()

    init(host: Host, registry: Registry, callers: CallerLookup, shared: SharedTreeState) {
        self.callers = callers
        super.init(host: host, registry: registry, shared: shared)
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
        of node: NodeID, caller: pid_t, _ workspace: Workspace
    ) throws(SystemError) -> Container {
        if node.slot != 0 { return try super.container(of: node, caller: caller, workspace) }
        return try host.withDescriptors { () throws(SystemError) in
            try callers.container(ofCaller: caller, workspace)
        }
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
        readSnapshot(request, node, size: size, offset: offset, file)
    }

    override func release(
        _ request: fuse_req_t, _ file: UnsafeMutablePointer<fuse_file_info>
    ) {
        releaseSnapshot(request, file)
    }

    override func trigger(
        _ node: NodeID, _ container: Container, caller: pid_t, _ workspace: Workspace
    ) throws(SystemError) -> PressureTrigger {
        try openTrigger(node, container, caller: caller, workspace)
    }

    override func write(
        _ request: fuse_req_t, _ node: NodeID, _ text: UnsafeRawBufferPointer,
        _ file: UnsafeMutablePointer<fuse_file_info>?
    ) {
        counters.count(.write)
        guard let opened = file.flatMap({ openFiles.file($0.pointee.fh) }) else {
            fuse_reply_err(request, EBADF)
            return
        }
        do {
            // A file that an earlier worker has opened: its trigger has ended with that.
            if opened.pressureTrigger == nil {
                let workspace = Workspace.current
                let caller = callerPID(request)
                let container = try container(of: node, caller: caller, workspace)
                opened.pressureTrigger = try trigger(node, container, caller: caller, workspace)
            }
            if let trigger = opened.pressureTrigger, try trigger.write(text) {
                try watcher.watch(trigger)
            }
            fuse_reply_write(request, text.count)
        } catch {
            fuse_reply_err(request, error.errno)
        }
    }

    override func poll(
        _ request: fuse_req_t, _ node: NodeID, _ file: UnsafeMutablePointer<fuse_file_info>?,
        _ handle: OpaquePointer?
    ) {
        counters.count(.poll)
        let opened = file.flatMap { openFiles.file($0.pointee.fh) }
        if let trigger = opened?.pressureTrigger {
            fuse_reply_poll(request, trigger.poll(handle))
            return
        }
        if let handle { fuse_pollhandle_destroy(handle) }
        let isPressure = FixedNode(rawValue: node.file)?.pressureKind != nil
        fuse_reply_poll(
            request, isPressure ? PressureTrigger.without : PressureTrigger.ready)
    }

    private func containerChild(_ id: String) -> Child? {
        registry.container(id: id).map {
            Child(
                name: id, node: NodeID(slot: $0.slot, file: FixedNode.top.rawValue),
                kind: .directory)
        }
    }
}
