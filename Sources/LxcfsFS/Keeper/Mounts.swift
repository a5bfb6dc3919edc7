import Glibc
import KernelText
import Logging
import LxcfsHandover
import Syscalls

/// The mounts of a daemon.
///
/// On the mountpoint is the connection that knows opens: `proc` and `sys` are in its root, so
/// that a bind mount of the mountpoint has them, too, as with lxcfs. In the runtime directory
/// (``RuntimeDirectory/tree``) is what release 0.1.0 has on the mountpoint: the connection of the
/// containers, with the other one and its parts mounted in it. A keeper or worker of that release
/// knows no other arrangement, see ``arrangeAsBefore(_:)``.
enum Mounts {
    /// A FUSE connection and its mount, which is nowhere yet.
    struct Fresh: ~Copyable {
        /// The open `/dev/fuse`.
        let device: FileDescriptor
        let mount: FileDescriptor
    }

    /// Opens a connection; the kernel sends INIT at once.
    ///
    /// - Parameters:
    ///   - options: as for mount(8) `-o`.
    ///   - mountPoint: for errors.
    /// - Throws: `SystemError`; `DaemonError` if the kernel does not take the options.
    static func connect(
        readOnly: Bool, options: [String], at mountPoint: String
    ) throws -> Fresh {
        let device = try openDevice()
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
            // A kernel that is too old for these calls: who reports it says so.
            if error.errno == ENOSYS { throw error }
            throw DaemonError("cannot mount on \(mountPoint): \(error)")
        }
    }

    private static func openDevice() throws -> FileDescriptor {
        let path = "/dev/fuse"
        do {
            return try FileDescriptor.open(path, O_RDWR)
        } catch {
            switch error.errno {
            case ENOENT, ENODEV, ENXIO:
                throw DaemonError(
                    "\(error) (modprobe fuse; in a container, --device /dev/fuse)")
            default: throw error
            }
        }
    }

    /// Mounts the connection that knows opens, and its parts, inside the other one. Both must be
    /// served.
    static func complete(_ options: DaemonOptions) throws(SystemError) {
        let tree = options.directory.tree
        let callers = try cloneMounts(at: options.mountPoint)
        try attachMount(callers, at: tree + "/" + TreeNames.opens)
        for name in ["proc", "sys"] {
            try bindMount(options.mountPoint + "/" + name, on: tree + "/" + name)
        }
    }

    /// Has the mounts as release 0.1.0 has them. No name in a tree is looked up, for there may be
    /// no worker to answer.
    static func arrangeAsBefore(_ options: DaemonOptions) throws(SystemError) {
        let tree = options.directory.tree
        try replace(options.mountPoint, with: try cloneMounts(at: tree))
        try detachMount(at: tree)
        rmdir(tree)
    }

    /// Puts other mounts in the place of those that are there.
    private static func replace(
        _ mountPoint: String, with mounts: consuming FileDescriptor
    ) throws(SystemError) {
        do {
            let former = try FileDescriptor.open(mountPoint, O_PATH | O_DIRECTORY)
            try attachMount(mounts, to: former, beneath: true, path: mountPoint)
        } catch {
            // Before Linux 6.5: for some microseconds nothing is mounted there.
            guard error.errno == EINVAL else { throw error }
            try detachMount(at: mountPoint)
            try attachMount(mounts, at: mountPoint)
            return
        }
        try detachMount(at: mountPoint)
    }

    /// Makes the directories, and clears away what a daemon that was killed has left there.
    ///
    /// - Returns: whether the mountpoint has been made.
    /// - Throws: `SystemError`; `DaemonError` if something else is there.
    static func prepare(_ options: DaemonOptions, _ log: Logger) throws -> Bool {
        // Nobody else's: the pid file is ours.
        try clear(options.directory.tree)
        try makeDirectory(options.directory.tree, mode: 0o755)
        return try prepare(options.mountPoint, log)
    }

    private static func prepare(_ mountPoint: String, _ log: Logger) throws -> Bool {
        var made = false
        for _ in 0..<16 {
            switch try condition(of: mountPoint) {
            case .free:
                return made
            case .missing:
                try makeDirectory(mountPoint, mode: 0o755)
                made = true
            case .served:
                throw DaemonError(try TakenMountpoint.description(of: mountPoint))
            case .file:
                throw DaemonError("\(mountPoint) is not a directory")
            case .dead:
                log.notice("unmounting \(mountPoint), whose daemon is gone")
                try abort(mountPoint)
            case .silent:
                log.notice("unmounting \(mountPoint), whose daemon does not answer")
                try abort(mountPoint)
            }
        }
        throw DaemonError("cannot clear \(mountPoint): there is always one more mount")
    }

    /// Takes all mounts away, in either arrangement. Containers, which have them elsewhere, get
    /// errors at once, also if a worker that cannot end, see ``Supervisor``, holds a connection
    /// open.
    static func abort(_ options: DaemonOptions) throws(SystemError) {
        let aborted = Result { () throws(SystemError) in try abort(options.mountPoint) }
        try clear(options.directory.tree)
        rmdir(options.directory.tree)
        try aborted.get()
    }

    private static func abort(_ mountPoint: String) throws(SystemError) {
        if try abortConnection(at: mountPoint) { return }
        do {
            // Of the other connection, if it is in this one. The kernel remembers the name.
            _ = try abortConnection(at: mountPoint + "/proc")
        } catch {
            // It does not: the daemon had not got as far as to mount it. Or it is dead.
            if !isMissing(error) { throw error }
        }
        try detachMount(at: mountPoint)
    }

    /// Takes away what is mounted on a directory of ours, if there is something.
    static func clear(_ tree: String) throws(SystemError) {
        for _ in 0..<16 {
            do {
                if try !abortConnection(at: tree) { try detachMount(at: tree) }
            } catch {
                if isMissing(error) { return }
                throw error
            }
        }
    }

    /// There is no mount, or nobody who would say.
    private static func isMissing(_ error: SystemError) -> Bool {
        [ENOENT, ENOTCONN, ECONNABORTED, EINVAL].contains(error.errno)
    }

    private enum Condition {
        case free, missing, served, dead, silent, file
    }

    /// What is there, or that it does not say so in time: a worker that cannot end, see
    /// ``Supervisor``, may have outlived its keeper, and holds the connection open.
    private static func condition(of mountPoint: String) throws -> Condition {
        final class Look: Sendable {
            let isDone: FileDescriptor
            let result = Guarded<Result<Condition, SystemError>?>(nil)
            init() throws(SystemError) { isDone = try EventDescriptor.make() }
        }
        let look = try Look()
        try startThread("mountpoint") {
            let result = Result { () throws(SystemError) in try answer(of: mountPoint) }
            look.result.withLock { $0 = result }
            EventDescriptor.signal(look.isDone)
        }
        // No signal interrupts it: the keeper reads them from a descriptor.
        var request = pollfd(fd: look.isDone.raw, events: Int16(POLLIN), revents: 0)
        poll(&request, 1, longestSilence)
        if let result = look.result.withLock({ $0 }) { return try result.get() }
        guard try isFUSE(mountPoint) else {
            throw DaemonError("\(mountPoint) does not answer, and is no FUSE mount")
        }
        return .silent
    }

    /// In milliseconds.
    private static let longestSilence: CInt = 5000

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
            if try FilesystemKind.of(path: mountPoint) != .fuse {
                let place = try FileDescriptor.open(mountPoint, O_PATH).status(path: mountPoint)
                return place.st_mode & S_IFMT == S_IFDIR ? .free : .file
            }
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
