import Glibc
import Syscalls

/// The cgroups that the containers are in, found through the mounts of this process.
public final class CgroupTree: @unchecked Sendable {
    public let mounts: CgroupMounts
    private let hugePage: String
    private let lock = Lock()
    /// By directory; guarded by `lock`.
    private var nodes: [String: WeakNode] = [:]

    private struct WeakNode { weak var node: CgroupNode? }

    /// - Parameter hugePage: the default huge page size as cgroup file names write it.
    public init(mounts: CgroupMounts, hugePage: String = "2MB") {
        self.mounts = mounts
        self.hugePage = hugePage
    }

    /// The node of `directory` and, through it, of its ancestors up to the mount point.
    func node(_ mount: HierarchyMount, _ directory: String) throws(SystemError) -> CgroupNode {
        lock.lock()
        defer { lock.unlock() }
        return try find(mount, directory)
    }

    private func find(
        _ mount: HierarchyMount, _ directory: String
    ) throws(SystemError) -> CgroupNode {
        var parent: CgroupNode?
        if directory != mount.mountPoint, let slash = directory.lastIndex(of: "/") {
            parent = try find(mount, String(directory[..<slash]))
        }
        // A cgroup made anew under the path of a removed one is another cgroup.
        if let known = nodes[directory]?.node, known.exists, known.parent === parent {
            return known
        }
        if nodes.count > max(64, 2 * liveCount) {
            nodes = nodes.filter { $0.value.node != nil }
            liveCount = nodes.count
        }
        let made = try CgroupNode(
            path: directory, parent: parent, unified: mount.unified, hugePage: hugePage)
        nodes[directory] = WeakNode(node: made)
        return made
    }

    /// Entries after the last clean-up; guarded by `lock`.
    private var liveCount = 0

    /// Closes all files that are kept open; they are opened again when they are read.
    public func closeFiles() {
        lock.lock()
        let all = nodes.values.compactMap(\.node)
        lock.unlock()
        for node in all { node.closeFiles() }
    }
}
