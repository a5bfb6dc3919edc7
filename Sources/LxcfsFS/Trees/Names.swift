import Glibc
import LxcfsHandover
import Syscalls

/// Which names are where in a tree, and what they stand for. The two kinds of connection differ
/// in what is at the top (``ContainerNames``, ``CallerNames``); below `sys` and `proc` they are
/// alike.
protocol Names: Sendable {
    var host: Host { get }
    var registry: Registry { get }
    var callers: CallerLookup { get }

    /// What the top directory of the connection has besides the containers.
    var rootEntries: [TreeEntry] { get }

    /// What is in the directory of a container.
    func topEntries(slot: UInt32) -> [TreeEntry]

    /// The files of `proc`.
    func procEntries(slot: UInt32) -> [TreeEntry]

    /// What a node is; nil if there is nothing of that number.
    func kind(of node: NodeID) -> NodeKind?

    /// The container that a node belongs to.
    ///
    /// - Parameter caller: the thread that asks.
    /// - Throws: `ENODEV` if there is none any more.
    func container(
        of node: NodeID, caller: pid_t, _ workspace: Workspace
    ) throws(SystemError) -> Container

    /// How long the kernel may remember that a name exists, in seconds.
    func timeout(of entry: TreeEntry) -> Double
}

/// The kernel may remember names and attributes of this kind for ever, in seconds.
let forever = 86400.0

extension Names {
    func kind(of node: NodeID) -> NodeKind? { commonKind(of: node) }

    /// What both connections have of a number.
    func commonKind(of node: NodeID) -> NodeKind? {
        guard let fixed = FixedNode(rawValue: node.file) else {
            if let block = BlockNode(node) { return DiskNames(host: host).kind(of: block) }
            return NUMANames(host: host).kind(of: node)
                ?? host.catalog.entries[node.file].map { NodeKind($0.kind) }
        }
        if fixed == .slabinfo { return .file(mode: 0o400) }
        // As in procfs: everybody may write triggers.
        if fixed.pressureKind != nil { return .file(mode: 0o666) }
        return fixed.isDirectory ? .directory : .file(mode: 0o444)
    }

    /// The container of a slot.
    func container(slot: UInt32) throws(SystemError) -> Container {
        guard let container = registry.container(slot: slot) else {
            throw SystemError("find", "container \(slot)", errno: ENODEV)
        }
        return container
    }

    /// Everything in a directory.
    ///
    /// - Parameter wanted: the only name that matters: the others are not looked for, and may be
    ///   left out. To look for names that do not exist costs as little as that.
    /// - Throws: `ENOTDIR` if it is none, or as ``container(of:caller:_:)``.
    func entries(
        of node: NodeID, named wanted: String? = nil, caller: pid_t, _ workspace: Workspace
    ) throws(SystemError) -> [TreeEntry] {
        guard let fixed = FixedNode(rawValue: node.file) else {
            if let block = BlockNode(node) {
                return try DiskNames(host: host).entries(block, node.slot)
            }
            if let entries = NUMANames(host: host).entries(of: node, named: wanted) {
                return entries
            }
            guard let entry = host.catalog.entries[node.file], entry.kind == .directory else {
                throw SystemError("list", "node \(node.raw)", errno: ENOTDIR)
            }
            return try catalogEntries(
                entry.children, named: wanted, of: node, caller, workspace)
        }
        switch fixed {
        case .top:
            if node.slot != 0 { return topEntries(slot: node.slot) }
            return rootEntries + containerEntries(for: caller)
        case .proc: return procEntries(slot: node.slot)
        case .sys: return [entry(.devDirectory, node.slot), entry(.devices, node.slot)]
        case .devices: return [entry(.system, node.slot)]
        case .system:
            return [entry(.cpuDirectory, node.slot)]
                + [NUMANames(host: host).directory(node.slot)].compactMap(\.self)
        case .nodeDirectory: return try NUMANames(host: host).nodes(node.slot, named: wanted)
        case .singleNode:
            return try NUMANames(host: host).files(of: node.cpu, node.slot, named: wanted)
        case .devDirectory: return [entry(.blockDirectory, node.slot)]
        case .blockDirectory: return try DiskNames(host: host).directories(node.slot)
        case .pressureDirectory: return FixedNode.pressureFiles.map { entry($0, node.slot) }
        case .cpuDirectory:
            // Whoever looks for one has found it before this.
            let cpus = wanted == nil ? try CPUCatalog.directories(sys: host.roots.sys) : []
            return host.catalog.fixed.map { entry($0, node.slot) }
                + cpus.map { singleCPU($0, node.slot) }
                + host.catalog.top.compactMap { catalogEntry($0, of: node) }
        case .singleCPU:
            return try catalogEntries(
                host.catalog.perCPU, named: wanted, of: node, caller, workspace)
        case .mountPoint: return []
        default: throw SystemError("list", fixed.name, errno: ENOTDIR)
        }
    }

    /// One name in a directory; nil if there is no such name.
    func entry(
        of node: NodeID, named name: String, caller: pid_t, _ workspace: Workspace
    ) throws(SystemError) -> TreeEntry? {
        if node.file == FixedNode.top.rawValue, node.slot == 0 {
            return rootEntries.first { $0.name == name } ?? containerEntry(name, for: caller)
        }
        if node.file == FixedNode.cpuDirectory.rawValue,
            let cpu = CPUCatalog.number(ofDirectory: name)
        {
            return CPUCatalog.hasDirectory(of: cpu, sys: host.roots.sys)
                ? singleCPU(cpu, node.slot) : nil
        }
        if node.file == FixedNode.blockDirectory.rawValue {
            return try DiskNames(host: host).directory(named: name, node.slot)
        }
        return try entries(of: node, named: name, caller: caller, workspace)
            .first { $0.name == name }
    }

    /// The files of `proc` that the host has, without pressure.
    func procFiles(slot: UInt32) -> [TreeEntry] {
        FixedNode.procFiles
            .filter { $0 != .slabinfo || host.slabinfo != nil }
            .map { entry($0, slot) }
    }

    func entry(_ fixed: FixedNode, _ slot: UInt32) -> TreeEntry {
        let node = NodeID(slot: slot, file: fixed.rawValue)
        return TreeEntry(name: fixed.name, node: node, kind: kind(of: node) ?? .directory)
    }

    /// The directories of the registered containers, for hooks and for root of the host. Who has
    /// the whole tree in a container, as lxcfs's hook for LXC does it, is not to see the others
    /// there, and users of the host see no more of containers than without us.
    private func containerEntries(for caller: pid_t) -> [TreeEntry] {
        guard callers.isAdministrator(caller) else { return [] }
        return registry.keys.compactMap { containerEntry($0) }
    }

    private func containerEntry(_ id: String, for caller: pid_t) -> TreeEntry? {
        containerEntry(id).flatMap { callers.isAdministrator(caller) ? $0 : nil }
    }

    private func containerEntry(_ id: String) -> TreeEntry? {
        registry.container(key: id).map {
            TreeEntry(
                name: id, node: NodeID(slot: $0.slot, file: FixedNode.top.rawValue),
                kind: .directory)
        }
    }

    private func singleCPU(_ cpu: Int, _ slot: UInt32) -> TreeEntry {
        TreeEntry(
            name: "cpu\(cpu)",
            node: NodeID(slot: slot, cpu: cpu, file: FixedNode.singleCPU.rawValue),
            kind: .directory)
    }

    private func catalogEntry(_ number: UInt32, of parent: NodeID) -> TreeEntry? {
        guard let entry = host.catalog.entries[number] else { return nil }
        return TreeEntry(
            name: entry.name,
            node: NodeID(slot: parent.slot, cpu: entry.perCPU ? parent.cpu : 0, file: number),
            kind: NodeKind(entry.kind))
    }

    /// Those of the catalog that there are: of a CPU, what the host has of that one, and as far
    /// as the container sees it.
    private func catalogEntries(
        _ numbers: [UInt32], named wanted: String?, of parent: NodeID, _ caller: pid_t,
        _ workspace: Workspace
    ) throws(SystemError) -> [TreeEntry] {
        let numbers =
            wanted.map { name in numbers.filter { host.catalog.entries[$0]?.name == name } }
            ?? numbers
        if numbers.isEmpty { return [] }
        let container = try container(of: parent, caller: caller, workspace)
        let extent = try container.extent(ofCPU: parent.cpu, host, workspace)
        return numbers.filter { number in
            guard let entry = host.catalog.entries[number], entry.perCPU else { return true }
            return entry.extent <= extent
                && host.catalog.has(entry, cpu: parent.cpu, sys: host.roots.sys)
        }.compactMap { catalogEntry($0, of: parent) }
    }
}
