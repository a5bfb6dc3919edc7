import CLinux
import Glibc

/// The identity of a namespace: the inode of its `/proc/<pid>/ns/...` file (namespaces(7)).
public struct NamespaceID: Hashable, Sendable {
    public let inode: UInt64

    public init(inode: UInt64) { self.inode = inode }

    /// - Parameter path: a namespace file, such as `/proc/1/ns/mnt`.
    public init(path: String) throws(SystemError) {
        var info = stat()
        _ = try retrying("stat", path) { stat(path, &info) }
        inode = UInt64(info.st_ino)
    }
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

/// unshare(2).
public func unshare(_ flags: CInt) throws(SystemError) {
    _ = try check(clinux_unshare(flags), "unshare", nil)
}
