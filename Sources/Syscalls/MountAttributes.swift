import CLinux

/// Attributes of a mount, as in mount_setattr(2).
public struct MountAttributes: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let readOnly = MountAttributes(rawValue: CLINUX_MOUNT_ATTR_RDONLY)
    public static let noSetuid = MountAttributes(rawValue: CLINUX_MOUNT_ATTR_NOSUID)
    public static let noDevices = MountAttributes(rawValue: CLINUX_MOUNT_ATTR_NODEV)
    public static let noExec = MountAttributes(rawValue: CLINUX_MOUNT_ATTR_NOEXEC)
    public static let noAccessTimes = MountAttributes(rawValue: CLINUX_MOUNT_ATTR_NOATIME)
    public static let noDirectoryAccessTimes =
        MountAttributes(rawValue: CLINUX_MOUNT_ATTR_NODIRATIME)
}
