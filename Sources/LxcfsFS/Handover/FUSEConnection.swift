/// The two FUSE connections; the numbers are part of the contract between versions.
package enum FUSEConnection: Int, CaseIterable, Sendable {
    /// The registered containers. Mounted on ``RuntimeDirectory/tree``.
    case containers = 0
    /// Whoever asks. Mounted on the mountpoint, and on ``TreeNames/opens`` in the other one.
    case callers = 1
}
