import Glibc
import Logging
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
        let opens = mountPoint + "/" + Registry.opensName
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
