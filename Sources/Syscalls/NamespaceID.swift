import CLinux
import Glibc

/// The identity of a namespace: the inode of its `/proc/<pid>/ns/...` file (namespaces(7)).
public struct NamespaceID: Hashable, Sendable {
    public let inode: UInt64

    public init(inode: UInt64) { self.inode = inode }
}

/// The namespace in which a pid or user namespace lies (`NS_GET_PARENT`).
///
/// - Throws: `EPERM` if that is neither the caller's own one nor below it.
public func parentNamespace(
    of namespace: borrowing FileDescriptor
) throws(SystemError) -> FileDescriptor {
    FileDescriptor(
        owning: try check(
            clinux_parent_namespace(namespace.raw), "find the parent of", "a namespace"))
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

/// The namespace that a pid namespace was made in (ioctl_ns(2)); nil if that is outside of our own.
public func parentNamespace(
    of namespace: borrowing FileDescriptor
) throws(SystemError) -> FileDescriptor? {
    let result = clinux_ns_parent(namespace.raw)
    if result == -EPERM { return nil }
    return FileDescriptor(owning: try check(result, "find the parent of", "a pid namespace"))
}

/// setns(2) into a mount namespace. Fails with `EINVAL` in a process with threads.
public func enterMountNamespace(
    _ namespace: borrowing FileDescriptor, path: String
) throws(SystemError) {
    _ = try attempting("enter mount namespace", path) { setns(namespace.raw, CLONE_NEWNS) }
}

/// unshare(2): from now on this process is in a copy of its mount namespace. Fails with `EINVAL`
/// in a process with threads.
public func copyMountNamespace() throws(SystemError) {
    _ = try attempting("copy", "the mount namespace") { unshare(CLONE_NEWNS) }
}

/// The time namespace of a process (time_namespaces(7)); nil if there is no such file: the process
/// is gone, or the kernel has no time namespaces.
///
/// - Parameters:
///   - process: its number, or `self`.
///   - forChildren: the one into which its next child is born. A process that has just made one
///     does not live in it itself.
///   - proc: a procfs.
public func timeNamespace(
    of process: String, forChildren: Bool = false, _ proc: borrowing FileDescriptor
) throws(SystemError) -> NamespaceID? {
    var info = stat()
    let path = process + (forChildren ? "/ns/time_for_children" : "/ns/time")
    do {
        _ = try attempting("find the time namespace", "/proc/" + path) {
            fstatat(proc.raw, path, &info, 0)
        }
    } catch {
        if error.errno == ENOENT { return nil }
        throw error
    }
    return NamespaceID(inode: UInt64(info.st_ino))
}
