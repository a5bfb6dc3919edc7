import Glibc
import LxcfsHandover
import ProcView
import Syscalls

/// What the host has below `/sys/devices/system/node` that containers may see, as ``CPUCatalog``
/// has it of CPUs: every file that everybody may read, and links. The `nodeN` are alike and have
/// one description together.
///
/// Links to blocks of memory (`memory32`) are left out: a machine has hundreds, and what of a
/// block is whose nobody can tell. The links to the `cpuN` are no part of the catalog either, for
/// each node has others (``NodeLink``).
struct NodeCatalog: Sendable {
    /// By number: a hash of the path, so that it is the same in every process.
    private(set) var entries: [UInt32: CPUCatalog.Entry] = [:]
    /// The entries directly in `node`.
    private(set) var top: [UInt32] = []
    /// The entries directly in each `nodeN`.
    private(set) var perNode: [UInt32] = []
    /// Which of the fixed files the host has.
    private(set) var lists: [FixedNode] = []
    private(set) var files: [FixedNode] = []
    /// Kernels can do without it.
    var exists: Bool { !perNode.isEmpty || !files.isEmpty }

    private static let root = "devices/system/node"
    private static let maximumDepth = 6

    /// Below sysfs.
    static func path(of node: Int, _ name: String = "") -> String {
        "\(root)/node\(node)" + (name.isEmpty ? "" : "/" + name)
    }

    /// Below sysfs, of one of ``FixedNode/nodeLists``.
    static func path(of list: FixedNode) -> String { root + "/" + list.name }

    /// The numbers of the nodes that the host has, ascending, as far as node ids have room for
    /// them.
    ///
    /// - Parameter sys: the root of a sysfs.
    static func directories(sys: borrowing FileDescriptor) throws(SystemError) -> [Int] {
        try sys.list(root).compactMap { number(in: $0.name, after: "node") }
            .filter { $0 <= NodeLink.highestNode }.sorted()
    }

    /// The CPUs whose links are in the directory of a node, ascending.
    static func cpus(of node: Int, sys: borrowing FileDescriptor) throws(SystemError) -> [Int] {
        try sys.list(path(of: node)).compactMap { CPUCatalog.number(ofDirectory: $0.name) }
            .sorted()
    }

    /// The number behind `prefix`, if nothing else is there, and it is written as the kernel
    /// does.
    static func number(in name: String, after prefix: String) -> Int? {
        guard name.hasPrefix(prefix), let number = Int(name.dropFirst(prefix.count)),
            number >= 0, prefix + "\(number)" == name
        else { return nil }
        return number
    }

    /// - Parameters:
    ///   - sys: the root of a sysfs.
    ///   - taken: whether a number is taken already.
    init(
        sys: borrowing FileDescriptor, isTaken taken: (UInt32) -> Bool
    ) throws(SystemError) {
        let names: [DirectoryItem]
        do {
            names = try sys.list(Self.root)
        } catch {
            if error.errno == ENOENT { return }
            throw error
        }
        lists = FixedNode.nodeLists.filter { list in names.contains { $0.name == list.name } }
        for item in names where Self.number(in: item.name, after: "node") == nil {
            if FixedNode.nodeLists.contains(where: { $0.name == item.name }) { continue }
            if let number = add(item, at: "", nil, in: sys, 0, taken) { top.append(number) }
        }
        for node in try Self.directories(sys: sys) {
            let items = try sys.list(Self.path(of: node))
            for file in FixedNode.nodeFiles
            where !files.contains(file) && items.contains(where: { $0.name == file.name }) {
                files.append(file)
            }
            for item in items where !Self.isLeftOut(item.name) {
                if let number = add(item, at: "", node, in: sys, 0, taken),
                    !perNode.contains(number)
                {
                    perNode.append(number)
                }
            }
        }
    }

    private static func isLeftOut(_ name: String) -> Bool {
        FixedNode.nodeFiles.contains { $0.name == name }
            || number(in: name, after: "cpu") != nil
            || number(in: name, after: "memory") != nil
    }

    /// The path of an entry below sysfs.
    func hostPath(of entry: CPUCatalog.Entry, node: Int) -> String {
        entry.perCPU ? Self.path(of: node, entry.path) : Self.root + "/" + entry.path
    }

    /// - Parameter node: nil for what is not below a `nodeN`.
    /// - Returns: the number of the entry; nil if containers may not see it.
    private mutating func add(
        _ item: DirectoryItem, at parent: String, _ node: Int?,
        in sys: borrowing FileDescriptor, _ depth: Int, _ taken: (UInt32) -> Bool
    ) -> UInt32? {
        let path = parent.isEmpty ? item.name : parent + "/" + item.name
        let full = node.map { Self.path(of: $0, path) } ?? Self.root + "/" + path
        let number = CPUCatalog.number(
            path: (node == nil ? "node/" : "nodeN/") + path, perCPU: false)
        let known = entries[number]
        // Two paths with one number: the one found later stays hidden.
        if taken(number) { return nil }
        if let known, known.path != path || known.perCPU != (node != nil) { return nil }

        let kind: CPUCatalog.Kind
        if item.isDirectory {
            guard depth < Self.maximumDepth else { return nil }
            kind = .directory
        } else if item.isSymbolicLink {
            guard let target = try? sys.readLink(at: full) else { return nil }
            kind = .link(target: target)
        } else {
            guard item.isRegularFile, let info = try? sys.status(at: full),
                info.st_mode & S_IROTH != 0
            else { return nil }
            kind = .file(.plain)
        }
        var entry =
            known
            ?? CPUCatalog.Entry(name: item.name, path: path, perCPU: node != nil, kind: kind)
        entries[number] = entry
        guard kind == .directory else { return number }
        for child in (try? sys.list(full)) ?? [] {
            if let childNumber = add(child, at: path, node, in: sys, depth + 1, taken),
                !entry.children.contains(childNumber)
            {
                entry.children.append(childNumber)
            }
        }
        entries[number] = entry
        return number
    }
}
