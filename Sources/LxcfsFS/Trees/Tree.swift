import CFuse3
import Cgroups
import Glibc
import KernelText
import LxcfsHandover
import ProcView
import Syscalls

/// What one FUSE connection shows: which names are where, and of what kind they are. The
/// content of files and how it is kept are up to the two kinds of connection.
class Tree: @unchecked Sendable {
    let host: Host
    let registry: Registry
    let counters = RequestCounters()
    let openFiles: OpenFiles
    /// Shown as modification time of everything that does not say otherwise; in seconds
    /// since 1970.
    let startedAt: Int

    init(host: Host, registry: Registry, shared: SharedTreeState) {
        self.host = host
        self.registry = registry
        openFiles = shared.openFiles
        startedAt = shared.startedAt
    }

    /// A name in a directory.
    struct Child {
        let name: String
        let node: NodeID
        let kind: Kind
    }

    enum Kind: Equatable {
        case directory
        case file(mode: mode_t)
        case link(target: String)

        /// The file type bits of `st_mode`.
        var type: mode_t {
            switch self {
            case .directory: S_IFDIR
            case .file: S_IFREG
            case .link: S_IFLNK
            }
        }
    }

    /// The kernel may remember names and attributes of this kind for ever, in seconds.
    static let forever = 86400.0

    // MARK: - To be filled in by the two kinds

    /// What is in the top directory: of the connection, or of a container.
    func topChildren(slot: UInt32) -> [Child] { [] }

    /// One name of the top directory of the connection.
    func rootChild(_ name: String) -> Child? {
        topChildren(slot: 0).first { $0.name == name }
    }

    /// The container that a node belongs to.
    ///
    /// - Throws: `ENODEV` if there is none any more.
    func container(
        of node: NodeID, caller: pid_t, _ workspace: Workspace
    ) throws(SystemError) -> Container {
        guard let container = registry.container(slot: node.slot) else {
            throw SystemError("find", "container \(node.slot)", errno: ENODEV)
        }
        return container
    }

    /// How long the kernel may remember that a name exists, in seconds.
    func entryTimeout(_ child: Child) -> Double { Self.forever }

    /// What is told of a file when its name is looked up. It must not contradict what the
    /// kernel has in its page cache.
    func attributesForLookup(
        _ child: Child, _ workspace: Workspace
    ) throws(SystemError) -> stat {
        baseAttributes(child.node, child.kind)
    }

    /// Size, times and the rest of a file, and how long the kernel may remember them.
    func attributes(of node: NodeID, _ kind: Kind) -> (stat, timeout: Double) {
        (baseAttributes(node, kind), Self.forever)
    }

    // MARK: - Names

    /// What a node is; nil if there is nothing of that number.
    func kind(of node: NodeID) -> Kind? {
        guard let fixed = FixedNode(rawValue: node.file) else {
            return host.catalog.entries[node.file].map(kind(of:))
        }
        if fixed == .slabinfo { return .file(mode: 0o400) }
        // As in procfs: everybody may write triggers.
        if fixed.pressureKind != nil { return .file(mode: 0o666) }
        return fixed.isDirectory ? .directory : .file(mode: 0o444)
    }

    func kind(of entry: CPUCatalog.Entry) -> Kind {
        switch entry.kind {
        case .directory: .directory
        case .file: .file(mode: 0o444)
        case .link(let target): .link(target: target)
        }
    }

    /// Everything in a directory.
    func children(
        of node: NodeID, caller: pid_t, _ workspace: Workspace
    ) throws(SystemError) -> [Child] {
        guard let fixed = FixedNode(rawValue: node.file) else {
            guard let entry = host.catalog.entries[node.file], entry.kind == .directory else {
                throw SystemError("list", "node \(node.raw)", errno: ENOTDIR)
            }
            return entry.children.compactMap { catalogChild($0, of: node) }
        }
        switch fixed {
        case .top: return topChildren(slot: node.slot)
        case .proc: return procChildren(slot: node.slot)
        case .sys: return [child(.devices, node.slot)]
        case .devices: return [child(.system, node.slot)]
        case .system: return [child(.cpuDirectory, node.slot)]
        case .pressureDirectory: return FixedNode.pressureFiles.map { child($0, node.slot) }
        case .cpuDirectory:
            let count = try visibleCount(node, caller: caller, workspace)
            return host.catalog.fixed.map { child($0, node.slot) }
                + (0..<count).map { singleCPU($0, node.slot) }
                + host.catalog.top.compactMap { catalogChild($0, of: node) }
        case .singleCPU:
            return host.catalog.perCPU.compactMap { catalogChild($0, of: node) }
        case .mountPoint: return []
        default: throw SystemError("list", fixed.name, errno: ENOTDIR)
        }
    }

    /// One name in a directory; nil if there is no such name.
    func child(
        of node: NodeID, named name: String, caller: pid_t, _ workspace: Workspace
    ) throws(SystemError) -> Child? {
        if node.file == FixedNode.top.rawValue, node.slot == 0 { return rootChild(name) }
        return try children(of: node, caller: caller, workspace).first { $0.name == name }
    }

    /// The files of `proc`, those that the host has.
    func procChildren(slot: UInt32) -> [Child] {
        FixedNode.procFiles
            .filter { $0 != .slabinfo || host.slabinfo != nil }
            .map { child($0, slot) }
    }

    func child(_ fixed: FixedNode, _ slot: UInt32) -> Child {
        let node = NodeID(slot: slot, file: fixed.rawValue)
        return Child(name: fixed.name, node: node, kind: kind(of: node) ?? .directory)
    }

    private func singleCPU(_ cpu: Int, _ slot: UInt32) -> Child {
        Child(
            name: "cpu\(cpu)",
            node: NodeID(slot: slot, cpu: cpu, file: FixedNode.singleCPU.rawValue),
            kind: .directory)
    }

    private func catalogChild(_ number: UInt32, of parent: NodeID) -> Child? {
        guard let entry = host.catalog.entries[number] else { return nil }
        return Child(
            name: entry.name,
            node: NodeID(slot: parent.slot, cpu: entry.perCPU ? parent.cpu : 0, file: number),
            kind: kind(of: entry))
    }

    private func visibleCount(
        _ node: NodeID, caller: pid_t, _ workspace: Workspace
    ) throws(SystemError) -> Int {
        let container = try container(of: node, caller: caller, workspace)
        return try container.lock.withLock { () throws(SystemError) in
            try container.updateVisible(host, workspace)
            return container.visible.list.count
        }
    }

    // MARK: - Attributes

    func baseAttributes(_ node: NodeID, _ kind: Kind) -> stat {
        var attributes = stat()
        attributes.st_ino = UInt(node.inode)
        attributes.st_nlink = 1
        attributes.st_mode = kind.type
        switch kind {
        case .directory:
            attributes.st_mode |= 0o555
            attributes.st_nlink = 2
        case .file(let mode):
            attributes.st_mode |= mode
            // As in sysfs, where a multiple of the page size says: not known before it is
            // read. With 0, as in procfs, sendfile(2) would not even try.
            attributes.st_size = 4096
        case .link(let target):
            attributes.st_mode |= 0o777
            attributes.st_size = off_t(target.utf8.count)
        }
        attributes.st_blksize = 4096
        attributes.st_mtim.tv_sec = startedAt
        attributes.st_ctim.tv_sec = startedAt
        attributes.st_atim.tv_sec = startedAt
        return attributes
    }

    // MARK: - Requests

    func getattr(_ request: fuse_req_t, _ node: NodeID) {
        counters.count(.getattr)
        guard let kind = kind(of: node) else {
            fuse_reply_err(request, ENOENT)
            return
        }
        var (attributes, timeout) = attributes(of: node, kind)
        fuse_reply_attr(request, &attributes, timeout)
    }

    func open(
        _ request: fuse_req_t, _ node: NodeID, _ file: UnsafeMutablePointer<fuse_file_info>
    ) {
        fuse_reply_err(request, EACCES)
    }

    func read(
        _ request: fuse_req_t, _ node: NodeID, size: Int, offset: Int,
        _ file: UnsafeMutablePointer<fuse_file_info>?
    ) {
        fuse_reply_err(request, EACCES)
    }

    /// A file that is opened for writing.
    func trigger(
        _ node: NodeID, _ container: Container, caller: pid_t, _ workspace: Workspace
    ) throws(SystemError) -> PressureTrigger {
        throw SystemError("write to", "node \(node.raw)", errno: EACCES)
    }

    func write(
        _ request: fuse_req_t, _ node: NodeID, _ text: UnsafeRawBufferPointer,
        _ file: UnsafeMutablePointer<fuse_file_info>?
    ) {
        fuse_reply_err(request, EACCES)
    }

    /// - Parameter handle: whom to wake; taken over.
    func poll(
        _ request: fuse_req_t, _ node: NodeID, _ file: UnsafeMutablePointer<fuse_file_info>?,
        _ handle: OpaquePointer?
    ) {
        if let handle { fuse_pollhandle_destroy(handle) }
        // Never asked again: such files are always ready.
        fuse_reply_err(request, ENOSYS)
    }

    func release(_ request: fuse_req_t, _ file: UnsafeMutablePointer<fuse_file_info>) {
        fuse_reply_err(request, 0)
    }
}
