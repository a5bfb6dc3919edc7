import Control

/// What to mount where.
struct Plan: Equatable {
    /// The container's root, by its path in the container's mount namespace.
    var rootfs: String
    var targets: [Target]
    var cpus: CPUView?
    /// Whether its processes may do to a filesystem what concerns all who have files of it: then it
    /// gets one of its own.
    var rulesFilesystems = false

    /// Those with which one may: in the host's user namespace.
    static let rulingCapabilities = ["CAP_SYS_ADMIN", "CAP_DAC_READ_SEARCH"]
    /// The same by their numbers (capabilities(7)).
    static let rulingMask: UInt64 = 1 << 21 | 1 << 2
}
