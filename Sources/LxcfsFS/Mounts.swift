import Glibc
import Logging
import Syscalls

/// The mounts of a daemon: the container connection on the mountpoint, the connection that
/// knows opens on a directory in it, and the latter's `proc` and `sys` beside it, where
/// everything written for lxcfs looks for them.
struct Mounts: ~Copyable {
    let containers: Session
    let callers: Session
    private let mountPoint: String
    private let madeDirectory: Bool

    init(
        containers containerTree: ContainerTree, callers callerTree: CallerTree,
        at mountPoint: String, options: [String], threads: Int, log: Logger
    ) throws(SystemError) {
        let madeDirectory = try Self.prepare(mountPoint, log)
        let identity = ["fsname=lxcfs", "subtype=lxcfs"]
        let containers = try Session(
            containerTree, at: mountPoint, options: ["ro"] + identity + options)
        containerTree.use(containers.handle)
        do {
            try containers.start(threads: threads, name: "containers")
            let opens = mountPoint + "/" + Registry.opensName
            let callers = try Session(callerTree, at: opens, options: identity + options)
            try callers.start(threads: threads, name: "callers")
            for name in ["proc", "sys"] {
                try bindMount(opens + "/" + name, on: mountPoint + "/" + name)
            }
            self.mountPoint = mountPoint
            self.madeDirectory = madeDirectory
            self.containers = containers
            self.callers = callers
        } catch {
            try? detachMount(at: mountPoint)
            throw error
        }
    }

    /// Takes all mounts away. Containers that have files of ours keep these mounts, which
    /// are dead once the process ends.
    consuming func remove() throws(SystemError) {
        try detachMount(at: mountPoint)
        if madeDirectory { rmdir(mountPoint) }
    }

    /// Makes the directory, and clears away what a daemon that was killed has left there.
    ///
    /// - Returns: whether the directory has been made.
    private static func prepare(
        _ mountPoint: String, _ log: Logger
    ) throws(SystemError) -> Bool {
        var made = false
        for _ in 0..<16 {
            switch try condition(of: mountPoint) {
            case .free:
                return made
            case .missing:
                try makeDirectory(mountPoint, mode: 0o755)
                made = true
            case .served:
                throw SystemError("mount over the FUSE mount on", mountPoint, errno: EBUSY)
            case .dead:
                log.notice("unmounting \(mountPoint), whose daemon is gone")
                try detachMount(at: mountPoint)
            }
        }
        throw SystemError("clear", mountPoint, errno: EBUSY)
    }

    private enum Condition {
        case free, missing, served, dead
    }

    private static func condition(of mountPoint: String) throws(SystemError) -> Condition {
        do {
            if try FilesystemKind.of(path: mountPoint) != .fuse { return .free }
            // A tree whose daemon is gone may still answer from the kernel's memory; not so
            // a listing.
            _ = try FileDescriptor.open(mountPoint, O_RDONLY | O_DIRECTORY).list()
            return .served
        } catch {
            switch error.errno {
            case ENOENT: return .missing
            case ENOTCONN, ECONNABORTED: return .dead
            default: throw error
            }
        }
    }
}
