import Control

/// What to mount where.
struct Plan: Equatable {
    /// The container's root, by its path in the container's mount namespace.
    var rootfs: String
    var targets: [Target]
    var cpus: CPUView?
    /// Whether its processes may do to a filesystem what concerns all who have files of it, see
    /// ``OwnFilesystem``.
    var rulesFilesystems = false
}
