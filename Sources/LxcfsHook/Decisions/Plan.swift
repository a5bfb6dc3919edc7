import Control

/// What to mount where.
struct Plan: Equatable {
    /// The container's root as the runtime sees it.
    var rootfs: String
    var targets: [Target]
    var cpus: CPUView?
}
