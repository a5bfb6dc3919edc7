import Cgroups
import KernelText

/// The sizes that a container is shown: the one model behind `/proc/meminfo`,
/// `/proc/swaps` and whatever else tells about memory. In bytes.
///
/// `free + cached <= total`, `available <= total` and `swapFree <= swapTotal` always hold, and
/// nothing is more than the host has.
public struct MemoryView: Equatable, Sendable {
    public let total: UInt64
    public let free: UInt64
    public let available: UInt64
    /// Page cache, shmem included.
    public let cached: UInt64
    public let swapTotal: UInt64
    public let swapFree: UInt64

    /// - Parameter swap: false hides all swap (`--disable-swap`).
    public init(_ facts: MemoryFacts, host: HostMemory, swap: Bool = true) {
        let stat = facts.stat
        total = max(min(facts.limit ?? .max, host.total), 1024)
        let pageCache = clampedSum(stat.bytes(.activeFile), stat.bytes(.inactiveFile))
        // Without a limit the container competes with everybody else for what is free.
        let headroom = facts.headroom ?? clampedDifference(host.total, facts.usage)
        // The container can take what the host has free, and the place of its own cache as
        // far as the host can give it up.
        let obtainable = max(host.free, min(clampedSum(host.free, pageCache), host.available))
        free = min(headroom, obtainable, total)
        cached = min(stat.bytes(.file), total - free)
        let reclaimable = clampedSum(pageCache, stat.bytes(.slabReclaimable))
        available = min(clampedSum(free, reclaimable), total, host.available)

        guard swap, facts.swapAccounted else {
            swapTotal = 0
            swapFree = 0
            return
        }
        swapTotal = min(facts.swapLimit ?? .max, host.swapTotal)
        let unused = clampedDifference(swapTotal, facts.swapUsage)
        swapFree = min(unused, facts.swapHeadroom ?? .max, host.swapFree)
    }

    /// Swap that the container cannot use any more.
    public var swapUsed: UInt64 { swapTotal - swapFree }
}
