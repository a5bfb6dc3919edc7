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

    init(
        containers containerTree: ContainerTree, callers callerTree: CallerTree,
        at mountPoint: String, options: [String], threads: Int, log: Logger
    ) throws(SystemError) {
        self.mountPoint = mountPoint
        try Self.prepare(mountPoint, log)
        let identity = ["fsname=lxcfs", "subtype=lxcfs"]
        containers = try Session(
            containerTree, at: mountPoint, options: ["ro"] + identity + options)
        containerTree.session = containers.handle
        do {
            try containers.start(threads: threads, name: "containers")
            let opens = mountPoint + "/" + Registry.opensName
            callers = try Session(callerTree, at: opens, options: identity + options)
            try callers.start(threads: threads, name: "callers")
            for name in ["proc", "sys"] {
                try bindMount(opens + "/" + name, on: mountPoint + "/" + name)
            }
        } catch {
            try? detachMount(at: mountPoint)
            throw error
        }
    }

    /// Takes all mounts away. Containers that have files of ours keep these mounts, which
    /// are dead once the process ends.
    consuming func remove() throws(SystemError) { try detachMount(at: mountPoint) }

    /// Makes the directory, and clears away what a daemon that was killed has left there.
    private static func prepare(_ mountPoint: String, _ log: Logger) throws(SystemError) {
        for _ in 0..<16 {
            do {
                if try FilesystemKind.of(path: mountPoint) != .fuse { return }
                // A tree of ours whose daemon is gone answers from the kernel's memory for
                // a while; only a question that cannot be answered from there tells.
                _ = try readFile(mountPoint + "/proc/uptime")
                throw SystemError("mount over the FUSE mount on", mountPoint, errno: EBUSY)
            } catch {
                switch error.errno {
                case ENOENT:
                    try makeDirectory(mountPoint, mode: 0o755)
                case ENOTCONN, ECONNABORTED:
                    log.notice("unmounting \(mountPoint), whose daemon is gone")
                    try detachMount(at: mountPoint)
                default:
                    throw error
                }
            }
        }
        throw SystemError("clear", mountPoint, errno: EBUSY)
    }
}
