import CLinux
import Glibc

/// What an open file is and on which mount, found out without asking its filesystem, so that
/// a FUSE server that is dead or hangs does no harm (statx(2) with `AT_STATX_DONT_SYNC`).
public struct FileIdentity: Equatable, Sendable {
    public enum Kind: Sendable {
        case directory, regular, other
        /// The kernel does not know it and would have to ask.
        case unknown
    }

    /// The mount's id in `/proc/<pid>/mountinfo` (proc_pid_mountinfo(5)).
    public let mountID: UInt64
    /// Whether the file is the root of that mount: the place that something is mounted on.
    public let isMountRoot: Bool
    public let inode: UInt64
    /// The filesystem, one number per superblock.
    public let device: DeviceNumber
    public let kind: Kind

    public func isSameFile(as other: FileIdentity) -> Bool {
        inode == other.inode && device == other.device
    }
}

extension FileDescriptor {
    /// Identifies this open file; also works on `O_PATH` descriptors. Linux 5.8.
    public func identity(path: String? = nil) throws(SystemError) -> FileIdentity {
        var out = clinux_identity()
        _ = try check(clinux_identify(raw, &out), "identify", path)
        let kind: FileIdentity.Kind =
            switch mode_t(out.mode) & S_IFMT {
            case 0: .unknown
            case S_IFDIR: .directory
            case S_IFREG: .regular
            default: .other
            }
        return FileIdentity(
            mountID: out.mount_id, isMountRoot: out.is_mount_root != 0, inode: out.inode,
            device: DeviceNumber(major: out.device_major, minor: out.device_minor), kind: kind)
    }
}
