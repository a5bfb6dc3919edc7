import Glibc

/// The identity of a namespace: the inode of its `/proc/<pid>/ns/...` file (namespaces(7)).
public struct NamespaceID: Hashable, Sendable {
    public let inode: UInt64

    public init(inode: UInt64) { self.inode = inode }
}

/// The mount namespace of a thread.
///
/// - Parameter proc: a procfs.
public func mountNamespace(
    of tid: Int32, _ proc: borrowing FileDescriptor
) throws(SystemError) -> NamespaceID {
    var info = stat()
    _ = try attempting("find the mount namespace of thread", "\(tid)") {
        fstatat(proc.raw, "\(tid)/ns/mnt", &info, 0)
    }
    return NamespaceID(inode: UInt64(info.st_ino))
}

/// setns(2) into a mount namespace. Fails with `EINVAL` in a process with threads.
public func enterMountNamespace(
    _ namespace: borrowing FileDescriptor, path: String
) throws(SystemError) {
    _ = try attempting("enter mount namespace", path) { setns(namespace.raw, CLONE_NEWNS) }
}
