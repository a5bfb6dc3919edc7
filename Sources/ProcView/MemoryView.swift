import Cgroups
import KernelText

/// The sizes that a container is shown: the one model behind `/proc/meminfo`,
/// `/proc/swaps` and whatever else tells about memory. In bytes.
///
/// `available + swapFree` is what a process can take until it is killed. What is neither free
/// nor reclaimable is what the container uses: `total - available`, and
/// `total - free - cached - slabReclaimable`, as programs compute it.
///
/// `free + cached <= total`, `free <= available <= total` and `swapFree <= swapTotal` always
/// hold, and nothing is more than the host has.
public struct MemoryView: Equatable, Sendable {
    public let total: UInt64
    public let free: UInt64
    public let available: UInt64
    public let swapTotal: UInt64
    public let swapFree: UInt64
    /// What is not free.
    public let parts: MemoryBreakdown

    /// Page cache, shmem included.
    public var cached: UInt64 { parts.cached }
    public var shmem: UInt64 { parts.shmem }

    /// - Parameter swap: false hides all swap (`--disable-swap`).
    public init(_ facts: MemoryFacts, host: HostMemory, swap: Bool = true) {
        total = max(min(facts.limit ?? .max, host.total), 1024)
        let reclaimable = min(facts.stat.reclaimable, facts.usage)
        // Where no limit is, the machine is one.
        let unlimited = clampedDifference(total, facts.usage - reclaimable)
        // A machine without swap does not count it: nothing can be in it either.
        let withSwap = host.swapTotal > 0 ? facts.obtainableWithSwap : nil
        available = min(
            facts.obtainable ?? .max, withSwap ?? .max, unlimited, host.available)
        // What neighbours could be made to give back is free: nothing of it is the container's.
        free = min(
            clampedDifference(available, reclaimable), clampedDifference(total, facts.usage))

        if swap, facts.swapAccounted {
            swapTotal = min(facts.swapLimit ?? .max, host.swapTotal)
            let unused = clampedDifference(swapTotal, facts.swapUsage)
            // v1: of what memory and swap may be together, memory has been promised already.
            let rest = withSwap.map { [available] in clampedDifference($0, available) }
            swapFree = min(unused, facts.swapHeadroom ?? .max, rest ?? .max, host.swapFree)
        } else {
            swapTotal = 0
            swapFree = 0
        }
        parts = MemoryBreakdown(
            facts.stat, host: host, room: total - free, swapUsed: swapTotal - swapFree)
    }

    /// Swap that the container cannot use any more.
    public var swapUsed: UInt64 { swapTotal - swapFree }
}
