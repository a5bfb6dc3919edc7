import Glibc
import Syscalls

/// The places in a container that files are mounted on.
///
/// The root filesystem is whatever the image's author wants. So the hook looks up every
/// component once, below a directory that it has checked, and never through a symbolic link.
/// Nothing but procfs and sysfs qualifies. No lookup asks a FUSE server: in a running container
/// that may be the container's own, which may never answer.
final class MountPlaces {
    private let root: FileDescriptor
    private let rootPath: String
    private let process: ContainerProcess
    /// The mounts as they were when this object was made.
    let mounts: MountTable
    /// `/proc` and `/sys`, or why they do not qualify; nil until they are asked for.
    private var proc: Result<Filesystem, AttachError>?
    private var sys: Result<Filesystem, AttachError>?

    private final class Filesystem {
        let root: FileDescriptor
        let identity: FileIdentity

        init(root: consuming FileDescriptor, identity: FileIdentity) {
            self.root = root
            self.identity = identity
        }
    }

    /// Only for use while the hook is inside the mount namespace of `process`.
    ///
    /// - Parameter rootfs: a path in that namespace.
    init(rootfs: String, process: ContainerProcess) throws(AttachError) {
        do {
            root = try FileDescriptor.open(rootfs, O_PATH | O_DIRECTORY)
        } catch {
            throw error.errno == ENOENT
                ? .refused(
                    """
                    the container's mount namespace has no \(rootfs): not the container's \
                    process, or not yet set up
                    """)
                : .system(error)
        }
        rootPath = rootfs == "/" ? "" : rootfs
        self.process = process
        do {
            mounts = try process.mountTable()
        } catch {
            throw .system(error)
        }
    }

    /// What is at the place of a target.
    final class Place {
        let file: FileDescriptor
        let identity: FileIdentity
        let state: State

        fileprivate init(file: consuming FileDescriptor, identity: FileIdentity, state: State) {
            self.file = file
            self.identity = identity
            self.state = state
        }

        enum State {
            /// The kernel's own file.
            case kernel
            /// A FUSE mount, live or dead, or one of an ``OwnFilesystem``.
            case fuse
            /// Another mount.
            case covered
        }
    }

    /// What is at `target`; nil if there is no such file.
    func place(
        of target: Target
    ) throws(AttachError) -> Place? {
        let filesystem = try filesystem(target.filesystem)
        do {
            return try place(of: target, in: filesystem)
        } catch {
            switch error.errno {
            case ENOENT: return nil
            case EXDEV:
                throw .covered(
                    "something is mounted over \(target.filesystem.mountpoint)/\(target.parent)"
                )
            case ELOOP: throw .refused("a symbolic link is on the way to it")
            default: throw .system(error)
            }
        }
    }

    /// Takes away the mount at a place.
    func unmount(_ place: Place, of target: Target) throws(AttachError) {
        try unmount(place.file, of: target)
    }

    /// Takes away a mount by its root.
    func unmount(
        _ mount: borrowing FileDescriptor, of target: Target
    ) throws(AttachError) {
        do {
            try process.unmount(mount, path: target.path)
        } catch {
            throw .system(error)
        }
    }

    /// The id of the mount of `/proc` or `/sys`.
    func mountID(
        of filesystem: KernelFilesystem
    ) throws(AttachError) -> UInt64 {
        try self.filesystem(filesystem).identity.mountID
    }

    private func place(
        of target: Target, in filesystem: Filesystem
    ) throws(SystemError) -> Place {
        let safe: ResolveFlags = [.beneath, .noSymlinks, .noMagicLinks]
        let file: FileDescriptor
        if target.parent.isEmpty {
            file = try filesystem.root.open(at: target.name, O_PATH, resolve: safe)
        } else {
            // Only the last component may be a mount.
            let parent = try filesystem.root.open(
                at: target.parent, O_PATH | O_DIRECTORY, resolve: safe.union(.noCrossing))
            file = try parent.open(at: target.name, O_PATH, resolve: safe)
        }
        let identity = try file.identity(path: target.path)
        let state: Place.State =
            if !identity.isMountRoot {
                // The file is no mount of its own, hence it is on the mount that was checked.
                identity.mountID == filesystem.identity.mountID ? .kernel : .covered
            } else if mounts[identity.mountID]?.isServed == true {
                .fuse
            } else {
                .covered
            }
        return Place(file: file, identity: identity, state: state)
    }

    private func filesystem(
        _ filesystem: KernelFilesystem
    ) throws(AttachError) -> Filesystem {
        if let found = filesystem == .proc ? proc : sys { return try found.get() }
        let found: Result<Filesystem, AttachError>
        do throws(AttachError) {
            found = .success(try open(filesystem))
        } catch {
            found = .failure(error)
        }
        switch filesystem {
        case .proc: proc = found
        case .sys: sys = found
        }
        return try found.get()
    }

    private func open(
        _ filesystem: KernelFilesystem
    ) throws(AttachError) -> Filesystem {
        let path = rootPath + filesystem.mountpoint
        let wanted: FilesystemKind = filesystem == .proc ? .procfs : .sysfs
        do {
            let directory = try root.open(
                at: filesystem.rawValue, O_PATH | O_DIRECTORY,
                resolve: [.inRoot, .noSymlinks, .noMagicLinks])
            let identity = try directory.identity(path: path)
            guard identity.isMountRoot else {
                throw AttachError.refused("nothing is mounted at \(path)")
            }
            guard let mount = mounts[identity.mountID] else {
                throw AttachError.refused("\(path) changes meanwhile")
            }
            // Looked at before fstatfs(2), which would ask a FUSE server.
            if mount.isFUSE {
                throw AttachError.refused("\(path) is on FUSE, not \(wanted)")
            }
            // Nor an overlay of which a FUSE server is a layer.
            guard mount.type != "overlay" else {
                throw AttachError.refused("\(path) is on overlayfs, not \(wanted)")
            }
            let kind = try FilesystemKind.of(directory, path: path)
            guard kind == wanted else {
                throw AttachError.refused("\(path) is on \(kind), not \(wanted)")
            }
            // Both filesystems number their root 1 (PROC_ROOT_INO; the first node of a
            // kernfs). Another directory of procfs that is bound here, such as that of a
            // process, would have other files under the names of ours.
            guard identity.inode == 1 else {
                throw AttachError.refused("\(path) is not the root of \(wanted)")
            }
            if let group = mount.peerGroup, try process.isSharedWithHost(group) {
                throw AttachError.refused(
                    "\(path) is shared with the host, which would get the files, too")
            }
            return Filesystem(root: directory, identity: identity)
        } catch let error as SystemError where error.errno == ELOOP {
            throw .refused("\(path) is a symbolic link")
        } catch let error as SystemError where error.errno == ENOENT {
            throw .refused("there is no \(path)")
        } catch let error as SystemError where error.errno == ENOTDIR {
            throw .refused("\(path) is not a directory")
        } catch {
            throw AttachError(error)
        }
    }
}
