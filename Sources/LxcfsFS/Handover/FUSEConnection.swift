/// The two FUSE connections; the numbers are part of the contract between versions.
package enum FUSEConnection: Int, CaseIterable, Sendable {
    /// The registered containers. Mounted on ``TreeNames/containers`` in the other one.
    case containers = 0
    /// Whoever asks. Mounted on the mountpoint.
    case callers = 1
}
