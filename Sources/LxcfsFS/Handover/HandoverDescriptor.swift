/// A descriptor that the keeper makes at its start and every worker inherits.
package enum HandoverDescriptor: Int, CaseIterable, Sendable {
    /// `/dev/fuse` of ``FUSEConnection/containers``.
    case containers
    /// `/dev/fuse` of ``FUSEConnection/callers``.
    case callers
    /// The control socket.
    case control
    /// The socket of the seccomp agent.
    case seccomp
    /// ``HandoverMemory``.
    case memory

    /// Its key in ``WorkerSetup``, and its name in the service manager's store: part of the
    /// contract between versions.
    package var name: StaticString {
        switch self {
        case .containers: "containers"
        case .callers: "callers"
        case .control: "control"
        case .seccomp: "seccomp"
        case .memory: "memory"
        }
    }
}
