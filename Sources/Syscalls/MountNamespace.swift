import Glibc

/// The mount namespace of a process, to enter it. Needs CAP_SYS_PTRACE for one that may do more
/// than this one.
public func openMountNamespace(of pid: pid_t) throws(SystemError) -> FileDescriptor {
    try .open("/proc/\(pid)/ns/mnt", O_RDONLY)
}

/// That of the calling thread.
public func openOwnMountNamespace() throws(SystemError) -> FileDescriptor {
    try .open("/proc/thread-self/ns/mnt", O_RDONLY)
}

/// unshare(2): root directory, working directory and umask are the calling thread's own from now on.
/// That is what ``enterMountNamespace(_:path:)`` wants of a process with threads.
public func separateWorkingDirectory() throws(SystemError) {
    _ = try attempting("have a thread's own", "working directory") { unshare(CLONE_FS) }
}

/// setns(2) of the calling thread into a mount namespace. Fails with `EINVAL` if it shares its
/// working directory with other threads.
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
