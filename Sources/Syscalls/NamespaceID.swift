import CLinux
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
    let result = clinux_mount_namespace(proc.raw, tid)
    let inode = try check(result, "find the mount namespace of thread", "\(tid)")
    return NamespaceID(inode: UInt64(inode))
}

/// setns(2) into a mount namespace. Fails with `EINVAL` in a process with threads.
public func enterMountNamespace(
    _ namespace: borrowing FileDescriptor, path: String
) throws(SystemError) {
    _ = try check(clinux_setns(namespace.raw, CLONE_NEWNS), "enter mount namespace", path)
}
