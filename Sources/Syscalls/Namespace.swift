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
