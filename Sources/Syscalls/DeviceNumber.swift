import CLinux

/// A device number, as `major:minor` in cgroup and `/proc` files.
public struct DeviceNumber: Hashable, Sendable {
    public let major: UInt32
    public let minor: UInt32

    public init(major: UInt32, minor: UInt32) {
        self.major = major
        self.minor = minor
    }

    /// Takes apart a `st_dev` or `st_rdev`.
    public init(_ device: UInt64) {
        self.init(major: clinux_major(device), minor: clinux_minor(device))
    }
}
