import CLinux
import Glibc

/// The identity of a namespace: the inode of its `/proc/<pid>/ns/...` file (namespaces(7)).
public struct NamespaceID: Hashable, Sendable {
    public let inode: UInt64

    public init(inode: UInt64) { self.inode = inode }

    /// A namespace of this process.
    ///
    /// - Parameter proc: a procfs of our pid namespace.
    /// - Throws: `ENOENT` from a kernel without namespaces of this kind.
    public static func own(
        _ kind: NamespaceKind, _ proc: borrowing FileDescriptor
    ) throws(SystemError) -> NamespaceID {
        try look(kind, at: "self", proc)
    }

    /// A namespace of a thread. Needs CAP_SYS_PTRACE, or an ``Aide`` that has it.
    ///
    /// - Parameters:
    ///   - tid: its number in the pid namespace of `proc`.
    ///   - proc: a procfs.
    /// - Throws: `ENOENT` when the thread is gone, or the kernel has no namespaces of this kind.
    public static func of(
        _ tid: Int32, _ kind: NamespaceKind, _ proc: borrowing FileDescriptor
    ) throws(SystemError) -> NamespaceID {
        guard Aide.isThere else { return try look(kind, at: "\(tid)", proc) }
        return NamespaceID(inode: try Aide.namespace(of: tid, kind.rawValue, kind.fileName))
    }

    static func look(
        _ kind: NamespaceKind, at process: String, _ proc: borrowing FileDescriptor
    ) throws(SystemError) -> NamespaceID {
        var info = stat()
        let path = "\(process)/ns/\(kind.fileName)"
        _ = try attempting("find the namespace", "/proc/" + path) {
            fstatat(proc.raw, path, &info, 0)
        }
        return NamespaceID(inode: UInt64(info.st_ino))
    }
}

/// The pid namespace of a thread, to ask it for numbers (``processID(_:in:)``). Needs
/// CAP_SYS_PTRACE, or an ``Aide`` that has it.
///
/// - Parameters:
///   - tid: its number in the pid namespace of `proc`.
///   - proc: a procfs.
public func openPIDNamespace(
    of tid: Int32, _ proc: borrowing FileDescriptor
) throws(SystemError) -> FileDescriptor {
    if Aide.isThere { return try Aide.pidNamespace(of: tid) }
    return try proc.open(at: "\(tid)/ns/\(NamespaceKind.process.fileName)")
}

/// The mount namespace of a thread, see ``NamespaceID/of(_:_:_:)``.
public func mountNamespace(
    of tid: Int32, _ proc: borrowing FileDescriptor
) throws(SystemError) -> NamespaceID {
    try NamespaceID.of(tid, .mount, proc)
}

/// The time namespace of a process (time_namespaces(7)); nil if there is no such file: the process
/// is gone, or the kernel has no time namespaces.
///
/// - Parameters:
///   - process: its number; nil for this one.
///   - forChildren: see ``NamespaceKind/timeForChildren``.
///   - proc: a procfs.
public func timeNamespace(
    of process: Int32?, forChildren: Bool = false, _ proc: borrowing FileDescriptor
) throws(SystemError) -> NamespaceID? {
    let kind: NamespaceKind = forChildren ? .timeForChildren : .time
    do {
        guard let process else { return try NamespaceID.own(kind, proc) }
        return try NamespaceID.of(process, kind, proc)
    } catch {
        if error.errno == ENOENT { return nil }
        throw error
    }
}

/// The namespace that a pid namespace was made in (ioctl_ns(2)); nil if that is outside of our own.
public func parentNamespace(
    of namespace: borrowing FileDescriptor
) throws(SystemError) -> FileDescriptor? {
    let result = clinux_parent_namespace(namespace.raw)
    if result == -EPERM { return nil }
    return FileDescriptor(owning: try check(result, "find the parent of", "a pid namespace"))
}
