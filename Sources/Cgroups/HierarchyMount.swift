import KernelText

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

    /// - Returns: nil for a mount of something else, or of a hierarchy that we know nothing of.
    init?(_ mount: Mountinfo.Mount) {
        guard let (type, _, options) = mount.filesystem,
            type.equals("cgroup") || type.equals("cgroup2")
        else { return nil }
        unified = type.equals("cgroup2")
        controllers =
            unified
            ? []
            : options.string.split(separator: ",")
                .compactMap { Controller(rawValue: String($0)) }
        if !unified, controllers.isEmpty { return nil }
        mountPoint = Mountinfo.unescaped(mount.point)
        root = Mountinfo.unescaped(mount.root)
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
