import Glibc
import KernelText
import Logging
import LxcfsHandover
import Syscalls

/// The mounts of a daemon: the container connection on the mountpoint, the connection that
/// knows opens on a directory in it, and the latter's `proc` and `sys` beside it, where
/// everything written for lxcfs looks for them.
enum Mounts {
    /// A FUSE connection and its mount, which is nowhere yet.
    struct Fresh: ~Copyable {
        /// The open `/dev/fuse`.
        let device: FileDescriptor
        let mount: FileDescriptor
    }

    /// Opens a connection; the kernel sends INIT at once.
    ///
    /// - Parameter options: as for mount(8) `-o`.
    static func connect(
        readOnly: Bool, options: [String], at mountPoint: String
    ) throws(SystemError) -> Fresh {
        let device = try FileDescriptor.open("/dev/fuse", O_RDWR)
        var attributes: MountAttributes = [.noSetuid, .noDevices, .noExec]
        if readOnly { attributes.insert(.readOnly) }
        var words = [
            "source=lxcfs", "subtype=lxcfs", "fd=\(device.raw)", "rootmode=40000", "user_id=0",
            "group_id=0",
            // Everybody may read, and the kernel checks the permission bits.
            "allow_other", "default_permissions",
        ]
        if readOnly { words.append("ro") }
        for option in options {
            switch option {
            case "noatime": attributes.insert(.noAccessTimes)
            case "nodiratime": attributes.insert(.noDirectoryAccessTimes)
            case "relatime", "atime", "diratime", "suid", "dev", "exec": break
            default:
                words.append(
                    option.hasPrefix("fsname=")
                        ? "source=" + option.dropFirst("fsname=".count) : option)
            }
        }
        // The last one counts, where one may not be given twice.
        let source = words.last { $0.hasPrefix("source=") } ?? "source=lxcfs"
        let subtype = words.last { $0.hasPrefix("subtype=") } ?? "subtype=lxcfs"
        words.removeAll { $0.hasPrefix("source=") || $0.hasPrefix("subtype=") }
        do {
            let mount = try detachedMount(
                of: "fuse", options: [source, subtype] + words, attributes)
            return Fresh(device: device, mount: mount)
        } catch {
            throw SystemError(
                "mount on", mountPoint + " (" + error.description + ")",
                errno: error.errno)
        }
    }

    /// Mounts the connection that knows opens inside the other one, which must be served.
    static func complete(
        _ callers: borrowing FileDescriptor, at mountPoint: String
    ) throws(SystemError) {
        let opens = mountPoint + "/" + TreeNames.opens
        try attachMount(callers, at: opens)
        for name in ["proc", "sys"] {
            try bindMount(opens + "/" + name, on: mountPoint + "/" + name)
        }
    }

    /// Makes the directory, and clears away what a daemon that was killed has left there.
    ///
    /// - Returns: whether the directory has been made.
    static func prepare(_ mountPoint: String, _ log: Logger) throws(SystemError) -> Bool {
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
                try abort(mountPoint)
            case .silent:
                log.notice("unmounting \(mountPoint), whose daemon does not answer")
                try abort(mountPoint)
            }
        }
        throw SystemError("clear", mountPoint, errno: EBUSY)
    }

    /// Takes all mounts away. Whoever has them elsewhere, as containers do, gets errors at once,
    /// also if a worker that cannot end, see ``Supervisor``, holds a connection open.
    static func abort(_ mountPoint: String) throws(SystemError) {
        if try abortConnection(at: mountPoint) { return }
        do {
            // Of the other connection. The kernel remembers the name.
            _ = try abortConnection(at: mountPoint + "/proc")
        } catch {
            // It does not: the daemon had not got as far as to mount it. Or it is dead.
            let isMissing = [ENOENT, ENOTCONN, ECONNABORTED, EINVAL].contains(error.errno)
            if !isMissing { throw error }
        }
        try detachMount(at: mountPoint)
    }

    private enum Condition {
        case free, missing, served, dead, silent
    }

    /// What is there, or that it does not say so in time: a worker that cannot end, see
    /// ``Supervisor``, may have outlived its keeper, and holds the connection open.
    private static func condition(of mountPoint: String) throws(SystemError) -> Condition {
        final class Look: @unchecked Sendable {
            let lock = Lock()
            var result: Result<Condition, SystemError>?
        }
        let look = Look()
        try startThread("mountpoint") {
            let result = Result { () throws(SystemError) in try answer(of: mountPoint) }
            look.lock.withLock { look.result = result }
        }
        let deadline = Clock.monotonic() + longestSilence
        while Clock.monotonic() < deadline {
            if let result = look.lock.withLock({ look.result }) { return try result.get() }
            usleep(1000)
        }
        guard try isFUSE(mountPoint) else {
            throw SystemError("look at", mountPoint, errno: ETIMEDOUT)
        }
        return .silent
    }

    /// In nanoseconds.
    private static let longestSilence: UInt64 = 5_000_000_000

    /// Without asking it.
    private static func isFUSE(_ mountPoint: String) throws(SystemError) -> Bool {
        let path = "/proc/self/mountinfo"
        let text = try readFile(path)
        let point = Mountinfo.escaped(mountPoint)
        return text.withUnsafeBufferPointer { text in
            // The last one covers those before.
            var isFUSE = false
            for mount in Mountinfo(text) where mount.point.elementsEqual(point) {
                isFUSE = mount.isFUSE
            }
            return isFUSE
        }
    }

    private static func answer(of mountPoint: String) throws(SystemError) -> Condition {
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
