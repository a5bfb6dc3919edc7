import KernelText

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
        for line in Mountinfo(text) {
            guard let mount = HierarchyMount(line) else { continue }
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
