/// What a container may use of memory and swap, and what it uses. In bytes.
public struct MemoryFacts: Equatable, Sendable {
    /// The smallest limit on the way to the root; nil without one.
    public var limit: UInt64?
    /// What the container could take if nobody else took anything: the smallest
    /// `limit - (usage - what the kernel could reclaim of it)` on that way; nil without a limit.
    public var obtainable: UInt64?
    /// v1: the same of the limits on memory and swap together; nil without such a limit.
    public var obtainableWithSwap: UInt64?
    public var usage: UInt64 = 0
    /// How much swap it may use; nil without a limit.
    public var swapLimit: UInt64?
    /// v2: the smallest remainder on the way to the root; nil without a limit.
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
