/// The two FUSE connections; the numbers are part of the contract between versions.
package enum FUSEConnection: Int, CaseIterable, Sendable {
    /// Mounted on the mountpoint: the registered containers.
    case containers = 0
    /// Mounted on ``TreeNames/opens`` below it: whoever asks.
    case callers = 1
}
