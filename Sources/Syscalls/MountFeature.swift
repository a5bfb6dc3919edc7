import CLinux
import Glibc

/// Which of the calls that this package mounts with the running kernel has.
public enum MountFeature: String, CaseIterable, Sendable {
    /// Linux 5.2.
    case openTree = "open_tree"
    /// Linux 5.2.
    case moveMount = "move_mount"
    /// Linux 5.12.
    case mountSetattr = "mount_setattr"
    /// Linux 5.6.
    case openat2
    /// Linux 6.5.
    case moveMountBeneath = "MOVE_MOUNT_BENEATH"

    /// Tries the call with arguments that cannot succeed: a kernel that has it finds fault
    /// with them, one that has it not answers `ENOSYS`.
    public var isSupported: Bool {
        let invalid: CInt = -1
        switch self {
        case .openTree: return clinux_open_tree(invalid, "", UInt32.max) != -ENOSYS
        case .moveMount: return clinux_move_mount(invalid, "", invalid, "", .max) != -ENOSYS
        case .mountSetattr: return clinux_mount_setattr(invalid, 0, 0, 0) != -ENOSYS
        case .openat2: return clinux_openat2(invalid, "", 0, 0, UInt64.max) != -ENOSYS
        case .moveMountBeneath:
            // Flags are checked before descriptors: EINVAL means that the flag is unknown.
            let flags =
                CLINUX_MOVE_MOUNT_F_EMPTY_PATH | CLINUX_MOVE_MOUNT_T_EMPTY_PATH
                | CLINUX_MOVE_MOUNT_BENEATH
            return clinux_move_mount(invalid, "", invalid, "", flags) == -EBADF
        }
    }
}
