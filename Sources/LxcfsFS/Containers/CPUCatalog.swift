import Cgroups
import Glibc
import KernelText
import LxcfsHandover
import ProcView
import Syscalls

/// What the host has below `/sys/devices/system/cpu` that containers may see: every file
/// that everybody may read, and links. The `cpuN` directories are alike and have one
/// description together.
///
/// The catalog is made once. Nothing that is not in it can be reached, and paths that come
/// from a container are never used to open anything.
struct CPUCatalog: Sendable {
    enum Kind: Sendable, Equatable {
        case directory
        case file(CPUTopology.Content)
        case link(target: String)
    }

    struct Entry: Sendable {
        let name: String
        /// Below `cpu`, or below `cpuN` if `perCPU`.
        let path: String
        let perCPU: Bool
        let kind: Kind
        var children: [UInt32] = []

        /// Of which CPUs it is there.
        var extent: CPUTopology.Extent {
            perCPU ? CPUTopology.extent(ofFile: path) : .offline
        }
    }

    /// By number: a hash of the path, so that it is the same in every process.
    private(set) var entries: [UInt32: Entry] = [:]
    /// The entries directly in `cpu`.
    private(set) var top: [UInt32] = []
    /// The entries directly in each `cpuN`.
    private(set) var perCPU: [UInt32] = []
    /// Which of the fixed files the host has.
    private(set) var fixed: [FixedNode] = []

    private static let root = "devices/system/cpu"
    /// Deeper than any file there today.
    private static let maximumDepth = 6

    /// The CPUs that the machine may ever have.
    ///
    /// - Parameter sys: the root of a sysfs.
    static func possibleCPUs(sys: borrowing FileDescriptor) throws(SystemError) -> CPUList {
        let path = path(of: .possible)
        let text = try sys.open(at: path).readToEnd(path: path)
        guard let list = text.withUnsafeBufferPointer({ CPUList(parsing: $0.trimmed) }),
            !list.isEmpty
        else { throw SystemError("understand the list of CPUs in", path, errno: EINVAL) }
        return list
    }

    /// Below sysfs, of one of ``FixedNode/cpuFiles``.
    static func path(of file: FixedNode) -> String { root + "/" + file.name }

    /// The numbers of the CPUs that the host has directories of, ascending, as far as node
    /// ids have room for them.
    ///
    /// - Parameter sys: the root of a sysfs.
    static func directories(sys: borrowing FileDescriptor) throws(SystemError) -> [Int] {
        try sys.list(root).compactMap { number(ofDirectory: $0.name) }.sorted()
    }

    /// The number of the CPU whose directory has this name; nil if it is no such name.
    static func number(ofDirectory name: String) -> Int? {
        guard name.hasPrefix("cpu"), let cpu = Int(name.dropFirst(3)), "cpu\(cpu)" == name,
            (0...NodeID.highestCPU).contains(cpu)
        else { return nil }
        return cpu
    }

    /// Whether the host has the directory of this CPU at this moment.
    static func hasDirectory(of cpu: Int, sys: borrowing FileDescriptor) -> Bool {
        (try? sys.status(at: "\(root)/cpu\(cpu)")) != nil
    }

    /// - Parameter sys: the root of a sysfs.
    init(sys: borrowing FileDescriptor) throws(SystemError) {
        let names = try sys.list(Self.root)
        fixed = FixedNode.cpuFiles.filter { node in names.contains { $0.name == node.name } }
        var cpus: [String] = []
        for item in names {
            if item.name.hasPrefix("cpu"), Int(item.name.dropFirst(3)) != nil {
                cpus.append(item.name)
            } else if !FixedNode.cpuFiles.contains(where: { $0.name == item.name }),
                let number = add(item, at: "", perCPU: false, in: sys, root: Self.root, 0)
            {
                top.append(number)
            }
        }
        // CPUs may differ, as with asymmetric caches: the description is what any has.
        for cpu in cpus {
            let root = Self.root + "/" + cpu
            for item in (try? sys.list(root)) ?? [] {
                if let number = add(item, at: "", perCPU: true, in: sys, root: root, 0),
                    !perCPU.contains(number)
                {
                    perCPU.append(number)
                }
            }
        }
    }

    /// The path of an entry below sysfs.
    func hostPath(of entry: Entry, cpu: Int) -> String {
        entry.perCPU
            ? "\(Self.root)/cpu\(cpu)/\(entry.path)" : "\(Self.root)/\(entry.path)"
    }

    /// Whether a container may see the entry of this number at times, and at times not.
    func comesAndGoes(_ number: UInt32) -> Bool {
        entries[number].map { $0.extent > .offline } ?? false
    }

    /// Whether the host has an entry of this CPU at this moment: not all CPUs have a file
    /// `online`, or as many caches, and one that is offline has neither caches nor topology.
    func has(_ entry: Entry, cpu: Int, sys: borrowing FileDescriptor) -> Bool {
        (try? sys.status(at: hostPath(of: entry, cpu: cpu))) != nil
    }

    /// - Returns: the number of the entry; nil if containers may not see it.
    private mutating func add(
        _ item: DirectoryItem, at parent: String, perCPU: Bool,
        in sys: borrowing FileDescriptor, root: String, _ depth: Int
    ) -> UInt32? {
        let path = parent.isEmpty ? item.name : parent + "/" + item.name
        let full = root + "/" + path
        let number = Self.number(path: path, perCPU: perCPU)
        let known = entries[number]
        // Two paths with one number: the one found later stays hidden.
        if let known, known.path != path || known.perCPU != perCPU { return nil }

        let kind: Kind
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
            kind = .file(CPUTopology.content(ofFile: path, perCPU: perCPU))
        }
        var entry = known ?? Entry(name: item.name, path: path, perCPU: perCPU, kind: kind)
        entries[number] = entry
        if kind == .directory {
            for child in (try? sys.list(full)) ?? [] {
                if let childNumber = add(
                    child, at: path, perCPU: perCPU, in: sys, root: root, depth + 1),
                    !entry.children.contains(childNumber)
                {
                    entry.children.append(childNumber)
                }
            }
            entries[number] = entry
        }
        return number
    }

    /// FNV-1a, folded to 24 bits, above the numbers of ``FixedNode``.
    static func number(path: String, perCPU: Bool) -> UInt32 {
        var hash = FNV1a()
        if perCPU { hash.add("cpuN/".utf8) }
        hash.add(path.utf8)
        let value = hash.value
        let folded = UInt32(truncatingIfNeeded: value ^ value >> 24 ^ value >> 48) & 0xff_ffff
        return folded < 4096 ? folded + 4096 : folded
    }
}
