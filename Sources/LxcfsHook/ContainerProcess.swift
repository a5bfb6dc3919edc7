import Glibc
import Syscalls

/// A process of a container, and what must be opened of the host before its mount namespace
/// is entered: from inside, the host's paths do not exist.
final class ContainerProcess {
    let pid: Int32
    private let mountNamespace: FileDescriptor
    private let mountinfo: FileDescriptor
    private let ownMountNamespace: FileDescriptor
    private let ownDescriptors: FileDescriptor
    private let workingDirectory: FileDescriptor
    let sharesMountNamespace: Bool

    init(pid: Int32) throws(SystemError) {
        let path = "/proc/\(pid)"
        // One open for all: the pid may be reused between two, the directory is not.
        let directory = try FileDescriptor.open(path, O_PATH | O_DIRECTORY)
        let namespace = try directory.open(at: "ns/mnt")
        let own = try FileDescriptor.open("/proc/self/ns/mnt")
        let mounts = try directory.open(at: "mountinfo")
        let descriptors = try FileDescriptor.open("/proc/self/fd", O_PATH | O_DIRECTORY)
        let current = try FileDescriptor.open(".", O_PATH | O_DIRECTORY)
        let shares =
            try namespace.identity(path: path + "/ns/mnt")
            .isSameFile(as: own.identity(path: "/proc/self/ns/mnt"))
        self.pid = pid
        mountNamespace = namespace
        mountinfo = mounts
        ownMountNamespace = own
        ownDescriptors = descriptors
        workingDirectory = current
        sharesMountNamespace = shares
    }

    /// Runs `body` in the container's mount namespace and returns to the own one.
    ///
    /// Paths that `body` hands to the kernel are the container's. It must not log, connect
    /// or do anything else that opens files behind its back.
    func inside<Result>(
        _ body: (ContainerProcess) throws(AttachError) -> Result
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
        return try body(self)
    }

    /// The mounts of its namespace as they are now.
    func mountTable() throws(SystemError) -> MountTable {
        lseek(mountinfo.raw, 0, SEEK_SET)
        return MountTable(try mountinfo.readToEnd(path: "/proc/\(pid)/mountinfo"))
    }

    /// Takes away the mount whose root is `mountRoot`; only in `inside`.
    func unmount(_ mountRoot: borrowing FileDescriptor, path: String) throws(SystemError) {
        try detachMount(mountRoot, through: ownDescriptors, path: path)
    }
}

/// Why a container cannot be served at all, or a file cannot be mounted.
enum AttachError: Error, Equatable, CustomStringConvertible {
    case system(SystemError)
    /// Something other than the kernel objects.
    case refused(String)

    init(_ error: any Error) {
        switch error {
        case let error as AttachError: self = error
        case let error as SystemError: self = .system(error)
        default: self = .refused("\(error)")
        }
    }

    var description: String {
        switch self {
        case .system(let error): error.description
        case .refused(let reason): reason
        }
    }
}
