import CLinux
import Glibc

/// open_tree(2) with `OPEN_TREE_CLONE`: a detached copy of the one mount at `path`, that
/// disappears with the descriptor unless it is attached somewhere.
///
/// - Parameter path: relative to `directory`.
public func cloneMount(
    _ path: String, in directory: borrowing FileDescriptor
) throws(SystemError) -> FileDescriptor {
    let flags = CLINUX_OPEN_TREE_CLONE | CLINUX_OPEN_TREE_CLOEXEC
    return FileDescriptor(
        owning: try check(
            clinux_open_tree(directory.raw, path, flags), "clone the mount of", path))
}

/// A detached copy of the mount at `path` and of all that is mounted below it. It is in no peer
/// group (mount_namespaces(7)): what is mounted or unmounted in the original does not change
/// it, nor the other way round.
///
/// - Parameter path: absolute.
public func cloneMounts(at path: String) throws(SystemError) -> FileDescriptor {
    let flags = CLINUX_OPEN_TREE_CLONE | CLINUX_OPEN_TREE_CLOEXEC | CLINUX_AT_RECURSIVE
    let mounts = FileDescriptor(
        owning: try check(
            clinux_open_tree(AT_FDCWD, path, flags), "clone the mounts at", path))
    _ = try check(
        clinux_mount_setattr(mounts.raw, CLINUX_AT_RECURSIVE, 0, UInt64(MS_PRIVATE)),
        "set the attributes of the mounts at", path)
    return mounts
}

/// Sets `attributes` on a detached mount and takes it out of its peer group, so that
/// nothing mounted below a copy of it ever shows up elsewhere (mount_namespaces(7)).
public func isolateMount(
    _ mount: borrowing FileDescriptor, _ attributes: MountAttributes, path: String
) throws(SystemError) {
    _ = try check(
        clinux_mount_setattr(mount.raw, 0, attributes.rawValue, UInt64(MS_PRIVATE)),
        "set the attributes of the mount of", path)
}

/// move_mount(2) of a detached mount onto an open target.
///
/// - Parameter beneath: put it under the mount that is at the target (Linux 6.5; older
///   kernels answer `EINVAL`).
public func attachMount(
    _ mount: borrowing FileDescriptor, to target: borrowing FileDescriptor,
    beneath: Bool = false, path: String
) throws(SystemError) {
    var flags = CLINUX_MOVE_MOUNT_F_EMPTY_PATH | CLINUX_MOVE_MOUNT_T_EMPTY_PATH
    if beneath { flags |= CLINUX_MOVE_MOUNT_BENEATH }
    let operation = beneath ? "mount beneath" : "mount over"
    _ = try check(clinux_move_mount(mount.raw, "", target.raw, "", flags), operation, path)
}

/// A new instance of a filesystem (`proc`, `sysfs`) that is mounted nowhere, so that
/// nothing can be mounted over its files (fsopen(2), Linux 5.2).
public func detachedMount(
    of filesystem: String, _ attributes: MountAttributes = []
) throws(SystemError) -> FileDescriptor {
    let operation = "make a detached mount of"
    let context = FileDescriptor(
        owning: try check(clinux_fsopen(filesystem), operation, filesystem))
    _ = try check(clinux_fsconfig_create(context.raw), operation, filesystem)
    return FileDescriptor(
        owning: try check(
            clinux_fsmount(context.raw, attributes.rawValue), operation, filesystem))
}

/// A new instance of a filesystem with options, mounted nowhere yet (fsopen(2)).
///
/// - Parameter options: `key=value`, or `key` alone.
public func detachedMount(
    of filesystem: String, options: [String], _ attributes: MountAttributes
) throws(SystemError) -> FileDescriptor {
    let context = FileDescriptor(
        owning: try check(clinux_fsopen(filesystem), "open filesystem", filesystem))
    for option in options {
        let parts = option.split(
            separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count > 1 ? String(parts[1]) : nil
        _ = try check(
            clinux_fsconfig(context.raw, String(parts[0]), value), "set mount option", option)
    }
    _ = try check(clinux_fsconfig_create(context.raw), "make a filesystem of", filesystem)
    return FileDescriptor(
        owning: try check(
            clinux_fsmount(context.raw, attributes.rawValue), "make a mount of", filesystem))
}

/// move_mount(2) of a detached mount onto a path.
public func attachMount(
    _ mount: borrowing FileDescriptor, at path: String
) throws(SystemError) {
    _ = try check(
        clinux_move_mount(
            mount.raw, "", AT_FDCWD, path, CLINUX_MOVE_MOUNT_F_EMPTY_PATH), "mount on", path)
}

/// mount(2) with `MS_BIND`.
public func bindMount(_ source: String, on target: String) throws(SystemError) {
    _ = try attempting("bind mount on", target) {
        mount(source, target, nil, UInt(MS_BIND), nil)
    }
}

/// What is mounted on the mount at `path` from now on shows up nowhere else
/// (mount_namespaces(7), private).
public func makePrivate(_ path: String) throws(SystemError) {
    _ = try attempting("make private the mount at", path) {
        mount(nil, path, nil, UInt(MS_PRIVATE), nil)
    }
}

/// The same for all mounts at and below `path`.
public func makeAllPrivate(_ path: String) throws(SystemError) {
    _ = try attempting("make private all mounts at", path) {
        mount(nil, path, nil, UInt(MS_REC) | UInt(MS_PRIVATE), nil)
    }
}

/// umount2(2) with `MNT_DETACH`: also works on a FUSE mount whose server is gone, and takes
/// everything mounted below along.
public func detachMount(at path: String) throws(SystemError) {
    _ = try attempting("unmount", path) { umount2(path, CInt(MNT_DETACH)) }
}

/// Aborts the connection of a FUSE mount (umount2(2) with `MNT_FORCE`): whoever waits for an answer
/// gets an error, even if a process that will never answer has the connection open.
///
/// - Returns: whether the mount is gone, too. It stays if it is in use.
public func abortConnection(at path: String) throws(SystemError) -> Bool {
    do {
        _ = try attempting("abort the connection at", path) { umount2(path, CInt(MNT_FORCE)) }
    } catch let error where error.errno == EBUSY {
        return false
    }
    return true
}

/// Unmounts the mount whose root `mountRoot` is (`MNT_DETACH`), wherever it is and whatever
/// is mounted at its path by now: no path is looked up. Changes the working directory.
///
/// - Parameter descriptors: `/proc/self/fd` of a procfs of this process's pid namespace,
///   opened before any change of the mount namespace. umount2(2) takes a path only.
public func detachMount(
    _ mountRoot: borrowing FileDescriptor, through descriptors: borrowing FileDescriptor,
    path: String
) throws(SystemError) {
    try changeDirectory(to: descriptors, path: "/proc/self/fd")
    _ = try attempting("unmount", path) {
        umount2("\(mountRoot.raw)", CInt(MNT_DETACH))
    }
}

/// fchdir(2).
public func changeDirectory(
    to directory: borrowing FileDescriptor, path: String
) throws(SystemError) {
    _ = try attempting("change the directory to", path) { fchdir(directory.raw) }
}
