import KernelText

/// CPU time that a container has used, in nanoseconds.
public struct CPUTime: Equatable, Sendable {
    public var user: UInt64
    public var system: UInt64

    public init(user: UInt64 = 0, system: UInt64 = 0) {
        self.user = user
        self.system = system
    }

    public var total: UInt64 { clampedSum(user, system) }
}
