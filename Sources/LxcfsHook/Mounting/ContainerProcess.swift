import Cgroups
import Glibc
import KernelText
import Syscalls

/// A process of a container, whose mount namespace the hook can enter.
///
/// Also holds what the hook needs of the host from then on, opened before: inside the
/// container's namespace, the host's paths do not exist.
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
    /// Which mount namespace that is.
    let mountNamespaceInode: UInt64
    /// Whether its mount namespace is the hook's own.
    let sharesMountNamespace: Bool
    /// Whether its pid namespace is the hook's own, which is the host's: it sees all processes of
    /// the node.
    let sharesPIDNamespace: Bool

    init(pid: Int32) throws(SystemError) {
        let path = "/proc/\(pid)"
        // Opened once, for all that is asked later: the kernel may give the pid to another
        // process meanwhile, but the directory stays that of this one.
        let directory = try FileDescriptor.open(path, O_PATH | O_DIRECTORY)
        let namespace = try directory.open(at: "ns/mnt")
        let ownNamespace = try FileDescriptor.open("/proc/self/ns/mnt")
        let ownDirectory = try FileDescriptor.open("/proc/self", O_PATH | O_DIRECTORY)
        let ownMounts = try ownDirectory.open(at: "mountinfo")
        let descriptors = try ownDirectory.open(at: "fd", O_PATH | O_DIRECTORY)
        let current = try FileDescriptor.open(".", O_PATH | O_DIRECTORY)
        let identity = try namespace.identity(path: path + "/ns/mnt")
        let shares =
            try identity
            .isSameFile(as: ownNamespace.identity(path: "/proc/self/ns/mnt"))
        let sharesPID =
            try directory.open(at: "ns/pid").identity(path: path + "/ns/pid")
            .isSameFile(
                as: ownDirectory.open(at: "ns/pid").identity(path: "/proc/self/ns/pid"))
        self.pid = pid
        self.directory = directory
        mountNamespaceInode = identity.inode
        mountNamespace = namespace
        own = ownDirectory
        hostMountinfo = ownMounts
        ownMountNamespace = ownNamespace
        ownDescriptors = descriptors
        workingDirectory = current
        sharesMountNamespace = shares
        sharesPIDNamespace = sharesPID
    }

    /// Whether a process is in the container: in its pid namespace, or in one below it. True for one
    /// that has ended.
    func isCompanion(_ pid: Int32) throws(SystemError) -> Bool {
        let path = "/proc/\(pid)/ns/pid"
        let wanted = try directory.open(at: "ns/pid").identity(path: path)
        do {
            return try Self.isIn(wanted, try FileDescriptor.open(path))
        } catch {
            guard error.errno == ENOENT || error.errno == ESRCH else { throw error }
            return true
        }
    }

    /// Whether a pid namespace is `wanted` or below it. The kernel nests no deeper than 32
    /// (pid_namespaces(7)).
    private static func isIn(
        _ wanted: FileIdentity, _ namespace: borrowing FileDescriptor
    ) throws(SystemError) -> Bool {
        if try namespace.identity().isSameFile(as: wanted) { return true }
        guard let parent = try parentNamespace(of: namespace) else { return false }
        return try isIn(wanted, parent)
    }

    /// Whether the process that had the number at first still exists.
    var isThere: Bool { (try? directory.open(at: "ns/mnt")) != nil }

    /// The cgroups that the process is in (cgroups(7)).
    func cgroups() throws(SystemError) -> CgroupPaths {
        let path = "/proc/\(pid)/cgroup"
        let text = try directory.open(at: "cgroup").readToEnd(path: path)
        return text.withUnsafeBufferPointer { CgroupPaths(parsing: $0) }
    }

    /// Runs `body` in the container's mount namespace and returns to the hook's own.
    ///
    /// Paths that `body` hands to the kernel are the container's. `body` must not log, connect
    /// or do anything else that opens files unseen: they would be the container's files.
    func inside<Result>(
        _ body: () throws(AttachError) -> Result
    ) throws(AttachError) -> Result {
        let path = "/proc/\(pid)/ns/mnt"
        do {
            try enterMountNamespace(mountNamespace, path: path)
        } catch {
            throw .system(error)
        }
        defer { comeBack() }
        return try body()
    }

    /// Runs `body` in a copy of the hook's own mount namespace, which ends with it: what is mounted
    /// there is nowhere else.
    func apart<Result>(
        _ body: () throws(AttachError) -> Result
    ) throws(AttachError) -> Result {
        do {
            try copyMountNamespace()
        } catch {
            throw .system(error)
        }
        defer { comeBack() }
        return try body()
    }

    private func comeBack() {
        do {
            try enterMountNamespace(ownMountNamespace, path: "/proc/self/ns/mnt")
            try changeDirectory(to: workingDirectory, path: ".")
        } catch {
            // Whatever the hook did next would happen to the container's files.
            fatalError("cannot leave the container: \(error)")
        }
    }

    /// See ``Plan/rulesFilesystems``.
    func rulesFilesystems() throws(SystemError) -> Bool {
        let path = "/proc/\(pid)/ns/user"
        let isHosts = try directory.open(at: "ns/user").identity(path: path)
            .isSameFile(as: own.open(at: "ns/user").identity(path: "/proc/self/ns/user"))
        guard isHosts else { return false }
        let text = try directory.open(at: "status").readToEnd(path: "/proc/\(pid)/status")
        return text.withUnsafeBufferPointer { text in
            var lines = Scanner(text)
            while let line = lines.line() {
                guard line.starts(with: "CapBnd:") else { continue }
                let digits = line.part("CapBnd:".utf8.count..<line.count).trimmed.string
                return UInt64(digits, radix: 16).map { $0 & Plan.rulingMask != 0 }
                    ?? true
            }
            return true
        }
    }

    /// The mounts of the current namespace: within `inside`, the container's.
    func mountTable() throws(SystemError) -> MountTable {
        // Not the table of the container's process: that leaves out mounts that the process
        // cannot reach from its root directory.
        let path = "/proc/self/mountinfo"
        return MountTable(try own.open(at: "mountinfo").readToEnd(path: path))
    }

    /// Whether a mount of this peer group is also in the hook's own namespace.
    func isSharedWithHost(_ peerGroup: UInt64) throws(SystemError) -> Bool {
        // The file shows the namespace in which it was opened, whatever has been entered since.
        lseek(hostMountinfo.raw, 0, SEEK_SET)
        let mounts = MountTable(try hostMountinfo.readToEnd(path: "/proc/self/mountinfo"))
        return mounts.peerGroups.contains(peerGroup)
    }

    /// Takes away the mount whose root is `mountRoot`. Only to be called within `inside`.
    func unmount(_ mountRoot: borrowing FileDescriptor, path: String) throws(SystemError) {
        try detachMount(mountRoot, through: ownDescriptors, path: path)
    }
}
