import Cgroups
import Glibc
import Syscalls

/// A process of a container, and what must be opened of the host before its mount namespace
/// is entered: from inside, the host's paths do not exist.
final class ContainerProcess {
    let pid: Int32
    /// `/proc/<pid>`.
    private let directory: FileDescriptor
    private let mountNamespace: FileDescriptor
    /// `/proc/self` of the host's procfs.
    private let own: FileDescriptor
    private let hostMountinfo: FileDescriptor
    private let ownMountNamespace: FileDescriptor
    private let ownDescriptors: FileDescriptor
    private let workingDirectory: FileDescriptor
    let sharesMountNamespace: Bool

    init(pid: Int32) throws(SystemError) {
        let path = "/proc/\(pid)"
        // One open for all: the pid may be reused between two, the directory is not.
        let directory = try FileDescriptor.open(path, O_PATH | O_DIRECTORY)
        let namespace = try directory.open(at: "ns/mnt")
        let ownNamespace = try FileDescriptor.open("/proc/self/ns/mnt")
        let ownDirectory = try FileDescriptor.open("/proc/self", O_PATH | O_DIRECTORY)
        let ownMounts = try ownDirectory.open(at: "mountinfo")
        let descriptors = try ownDirectory.open(at: "fd", O_PATH | O_DIRECTORY)
        let current = try FileDescriptor.open(".", O_PATH | O_DIRECTORY)
        let shares =
            try namespace.identity(path: path + "/ns/mnt")
            .isSameFile(as: ownNamespace.identity(path: "/proc/self/ns/mnt"))
        self.pid = pid
        self.directory = directory
        mountNamespace = namespace
        own = ownDirectory
        hostMountinfo = ownMounts
        ownMountNamespace = ownNamespace
        ownDescriptors = descriptors
        workingDirectory = current
        sharesMountNamespace = shares
    }

    /// The cgroups it is in (cgroups(7)).
    func cgroups() throws(SystemError) -> CgroupPaths {
        let path = "/proc/\(pid)/cgroup"
        let text = try directory.open(at: "cgroup").readToEnd(path: path)
        return text.withUnsafeBufferPointer { CgroupPaths(parsing: $0) }
    }

    /// Runs `body` in the container's mount namespace and returns to the own one.
    ///
    /// Paths that `body` hands to the kernel are the container's. It must not log, connect
    /// or do anything else that opens files behind its back.
    func inside<Result>(
        _ body: () throws(AttachError) -> Result
    ) throws(AttachError) -> Result {
        let path = "/proc/\(pid)/ns/mnt"
        do {
            try enterMountNamespace(mountNamespace, path: path)
        } catch {
            throw .system(error)
        }
        defer {
            do {
                try enterMountNamespace(ownMountNamespace, path: "/proc/self/ns/mnt")
                try changeDirectory(to: workingDirectory, path: ".")
            } catch {
                // Whatever came next would happen to the container's files.
                fatalError("cannot leave the container: \(error)")
            }
        }
        return try body()
    }

    /// The mounts of the current namespace, in `inside` the container's.
    func mountTable() throws(SystemError) -> MountTable {
        // Not the container process's own table, which leaves out what it cannot reach from
        // its root directory.
        let path = "/proc/self/mountinfo"
        return MountTable(try own.open(at: "mountinfo").readToEnd(path: path))
    }

    /// Whether a mount of this peer group is also in the namespace that we came from.
    func isSharedWithHost(_ peerGroup: UInt64) throws(SystemError) -> Bool {
        // It goes on showing the namespace in which it was opened.
        lseek(hostMountinfo.raw, 0, SEEK_SET)
        let mounts = MountTable(try hostMountinfo.readToEnd(path: "/proc/self/mountinfo"))
        return mounts.peerGroups.contains(peerGroup)
    }

    /// Takes away the mount whose root is `mountRoot`; only in `inside`.
    func unmount(_ mountRoot: borrowing FileDescriptor, path: String) throws(SystemError) {
        try detachMount(mountRoot, through: ownDescriptors, path: path)
    }
}
