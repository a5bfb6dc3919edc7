import KernelText

/// What a container may use of memory and swap, and what it uses. In bytes.
public struct MemoryFacts: Equatable, Sendable {
    /// The smallest limit on the way to the root; nil without one.
    public var limit: UInt64?
    /// The smallest `limit - usage` on that way; nil without a limit.
    public var headroom: UInt64?
    public var usage: UInt64 = 0
    /// How much swap it may use; nil without a limit.
    public var swapLimit: UInt64?
    /// The smallest remainder on the way to the root; nil without a limit.
    public var swapHeadroom: UInt64?
    public var swapUsage: UInt64 = 0
    /// False where the kernel does not account swap: then nothing is known about it.
    public var swapAccounted = false
    public var stat = MemoryStat()
    /// Huge pages of the default size: limit (nil without one) and usage.
    public var hugeLimit: UInt64?
    public var hugeUsage: UInt64?

    public init() {}
}

/// What of a container's memory to ask the kernel for. What the host has none of, no container
/// has; to ask all the same costs several calls for each cgroup on the way to the root.
public struct MemoryParts: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let swap = MemoryParts(rawValue: 1)
    public static let hugePages = MemoryParts(rawValue: 2)
    public static let all: MemoryParts = [.swap, .hugePages]
}

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

/// The three files of pressure stall information (Documentation/accounting/psi.rst).
public enum PressureKind: String, CaseIterable, Sendable {
    case cpu, io, memory
}
