import Syscalls

/// The controllers that matter here, by their names in `/proc/<pid>/cgroup`.
///
/// cgroup v2 calls `blkio` `io`, and has `cpuacct` in `cpu`.
public enum Controller: String, CaseIterable, Sendable {
    case memory, cpu, cpuacct, cpuset, blkio, pids, hugetlb, freezer

    /// Its name on cgroup v2.
    public var unifiedName: String {
        switch self {
        case .blkio: "io"
        case .cpuacct: "cpu"
        default: rawValue
        }
    }
}

/// One mounted cgroup hierarchy, as a line of `/proc/<pid>/mountinfo` describes it
/// (proc_pid_mountinfo(5)).
public struct HierarchyMount: Equatable, Sendable {
    /// True for cgroup v2.
    public var unified: Bool
    /// v1: the controllers bound to it (those that we know).
    public var controllers: [Controller]
    /// Where it is mounted.
    public var mountPoint: String
    /// The cgroup that is the root of the mount, `/` unless it is a bind mount or made in
    /// a cgroup namespace.
    public var root: String

    public init(unified: Bool, controllers: [Controller], mountPoint: String, root: String) {
        self.unified = unified
        self.controllers = controllers
        self.mountPoint = mountPoint
        self.root = root
    }

    /// The directory of the cgroup `path` (from `/proc/<pid>/cgroup`) below this mount; nil
    /// when the cgroup lies outside of what is mounted.
    public func directory(of path: String) -> String? {
        // Bytes, not characters: a name may begin with what Unicode joins to the slash.
        let bytes = path.utf8
        guard bytes.first == UInt8(ascii: "/"), !bytes.starts(with: "/..".utf8) else {
            return nil
        }
        if root == "/" { return path == "/" ? mountPoint : mountPoint + path }
        let rest = bytes.dropFirst(root.utf8.count)
        guard bytes.starts(with: root.utf8) else { return nil }
        if rest.isEmpty { return mountPoint }
        guard rest.first == UInt8(ascii: "/") else { return nil }
        return mountPoint + String(decoding: rest, as: UTF8.self)
    }
}

/// Which cgroup hierarchies are mounted where.
public struct CgroupMounts: Equatable, Sendable {
    public enum Version: String, Sendable {
        /// Only v1 hierarchies.
        case v1
        /// v1 controllers beside a v2 hierarchy.
        case hybrid
        /// The v2 hierarchy alone.
        case v2
    }

    public let mounts: [HierarchyMount]

    public init(_ mounts: [HierarchyMount]) { self.mounts = mounts }

    /// Parses the text of a `mountinfo` file. Of several mounts of one hierarchy the first
    /// that shows its root is kept.
    public init(mountinfo text: Bytes) {
        var found: [HierarchyMount] = []
        var lines = Scanner(text)
        while let line = lines.line() {
            guard let mount = Self.parse(line) else { continue }
            let known = found.firstIndex {
                $0.unified == mount.unified && $0.controllers == mount.controllers
            }
            if let known {
                if found[known].root != "/", mount.root == "/" { found[known] = mount }
            } else {
                found.append(mount)
            }
        }
        self.init(found)
    }

    private static func parse(_ line: Bytes) -> HierarchyMount? {
        var words = Scanner(line)
        var fields: [Bytes] = []
        while let word = words.word() { fields.append(word) }
        // "36 35 98:0 /root /mount/point options [optional...] - type source super-options"
        guard let dash = fields.firstIndex(where: { $0.equals("-") }),
            dash >= 6, fields.count > dash + 3
        else { return nil }
        let type = fields[dash + 1]
        guard type.equals("cgroup") || type.equals("cgroup2") else { return nil }
        let options = fields[dash + 3].string.split(separator: ",").map(String.init)
        let controllers = options.compactMap(Controller.init(rawValue:))
        let unified = type.equals("cgroup2")
        if !unified, controllers.isEmpty { return nil }
        return HierarchyMount(
            unified: unified, controllers: unified ? [] : controllers,
            mountPoint: unescape(fields[4]), root: unescape(fields[3]))
    }

    public var version: Version {
        let unified = mounts.contains(where: \.unified)
        let legacy = mounts.contains { !$0.unified }
        return legacy ? (unified ? .hybrid : .v1) : .v2
    }

    /// The v1 hierarchy that `controller` is bound to.
    public func legacy(_ controller: Controller) -> HierarchyMount? {
        mounts.first { $0.controllers.contains(controller) }
    }

    public var unified: HierarchyMount? { mounts.first(where: \.unified) }
}

/// Undoes the octal escapes of mountinfo: space, tab, newline and backslash are written
/// `\040` and so on.
func unescape(_ text: Bytes) -> String {
    var out: [UInt8] = []
    var index = 0
    while index < text.count {
        if text[index] == UInt8(ascii: "\\"), index + 3 < text.count,
            case let digits = text.part(index + 1..<index + 4).map({ Int($0) - 48 }),
            digits.allSatisfy((0...7).contains),
            case let value = digits[0] * 64 + digits[1] * 8 + digits[2], value <= 255
        {
            out.append(UInt8(value))
            index += 4
        } else {
            out.append(text[index])
            index += 1
        }
    }
    return String(decoding: out, as: UTF8.self)
}
