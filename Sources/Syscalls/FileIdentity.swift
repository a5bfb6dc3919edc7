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
        var info = statx()
        let flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT
        _ = try attempting("identify", path) { statx(raw, "", flags, 0, &info) }
        // Both are filled in since Linux 5.8, asked for or not.
        let isMountRoot = UInt64(STATX_ATTR_MOUNT_ROOT)
        guard info.stx_mask & UInt32(STATX_MNT_ID) != 0,
            info.stx_attributes_mask & isMountRoot != 0
        else { throw SystemError("identify", path, errno: ENOSYS) }
        let kind: FileIdentity.Kind =
            switch mode_t(info.stx_mode) & S_IFMT {
            case 0: .unknown
            case S_IFDIR: .directory
            case S_IFREG: .regular
            default: .other
            }
        return FileIdentity(
            mountID: info.stx_mnt_id, isMountRoot: info.stx_attributes & isMountRoot != 0,
            inode: info.stx_ino,
            device: DeviceNumber(major: info.stx_dev_major, minor: info.stx_dev_minor),
            kind: kind)
    }
}
