import Glibc

extension ContainerCgroups {
    /// The number that the kernel gave to the container's cgroup, that of its memory controller, and
    /// gives to no other one before the next boot; nil if it is gone.
    public var id: UInt64? {
        for node in [memory, unified, cpu] {
            guard let node else { continue }
            let status = try? node.openFile(".", O_PATH).status(path: node.path)
            return status.map { UInt64($0.st_ino) }
        }
        return nil
    }
}
