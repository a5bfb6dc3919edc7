import KernelText
import Syscalls

/// Memory, swap and huge pages: of the container, and of the cgroups above it as far as they
/// limit it.
extension ContainerCgroups {
    /// Limits, usage and statistics of memory and swap.
    ///
    /// - Parameters:
    ///   - parts: of the rest it is as if the kernel did not account it.
    ///   - hostSize: bytes of memory of the machine: what limits to that or more is no limit.
    public func readMemory(
        _ scratch: Scratch, _ parts: MemoryParts = .all, hostSize: UInt64? = nil
    ) throws(SystemError) -> MemoryFacts {
        var facts = MemoryFacts()
        if let (_, text) = try nearest(memory, .memoryUsage, scratch) {
            facts.usage = parseNumber(text) ?? 0
        }
        var own: CgroupNode?
        if let (node, text) = try nearest(memory, .memoryStat, scratch) {
            facts.stat = MemoryStat(parsing: text, unified: node.unified)
            own = node
        }
        var combinedLimit: UInt64?
        var current = memory
        while let node = current, node === memory || !node.isLegacyRoot {
            var level = Level(node: node, stat: node === own ? facts.stat : nil)
            try readLimit(&level, below: hostSize ?? .max, scratch, &facts)
            if parts.contains(.swap) {
                try readSwap(&level, scratch, &facts, &combinedLimit)
            }
            current = node.parent
        }
        if let combinedLimit {
            let ofMemory = facts.limit ?? hostSize ?? 0
            facts.swapLimit = clampedDifference(combinedLimit, ofMemory)
        }
        if parts.contains(.swap), memory?.unified == false {
            try readLegacySwapUsage(scratch, &facts)
        }
        if parts.contains(.hugePages) { try readHugePages(scratch, &facts) }
        return facts
    }

    /// One cgroup on the way to the root, and what has been read of it. Its `memory.stat` is
    /// read only when it could matter: the kernel adds it up over all cgroups below.
    private struct Level {
        let node: CgroupNode
        var stat: MemoryStat?
        /// What its memory limit counts, if there is one.
        var usage: UInt64?

        mutating func readStat(_ scratch: Scratch) throws(SystemError) -> MemoryStat {
            if let stat { return stat }
            let text = try node.read(.memoryStat, scratch)
            let made = text.map { MemoryStat(parsing: $0, unified: node.unified) }
            stat = made
            return made ?? MemoryStat()
        }
    }

    private func readLimit(
        _ level: inout Level, below size: UInt64, _ scratch: Scratch,
        _ facts: inout MemoryFacts
    ) throws(SystemError) {
        let most = try level.node.number(.memoryLimit, scratch) ?? .max
        // What is above it the kernel takes away again, and stops who takes it.
        let limit = min(most, try level.node.number(.memoryHigh, scratch) ?? .max)
        guard limit < size, let usage = try level.node.number(.memoryUsage, scratch) else {
            return
        }
        level.usage = usage
        facts.limit = min(facts.limit ?? .max, limit)
        // Even if nothing can be reclaimed here, a cgroup below is tighter.
        if let tightest = facts.obtainable, clampedDifference(limit, usage) >= tightest {
            return
        }
        let reclaimable = try level.readStat(scratch).reclaimable
        let obtainable = clampedDifference(limit, clampedDifference(usage, reclaimable))
        facts.obtainable = min(facts.obtainable ?? .max, obtainable)
    }

    private func readSwap(
        _ level: inout Level, _ scratch: Scratch, _ facts: inout MemoryFacts,
        _ combinedLimit: inout UInt64?
    ) throws(SystemError) {
        guard let limit = try level.node.number(.swapLimit, scratch) else { return }
        if facts.swapAccounted, limit == .max { return }
        guard let usage = try level.node.number(.swapUsage, scratch) else { return }
        let unified = level.node.unified
        if !facts.swapAccounted, unified { facts.swapUsage = usage }
        facts.swapAccounted = true
        guard limit != .max else { return }
        if unified {
            let headroom = clampedDifference(limit, usage)
            facts.swapHeadroom = min(facts.swapHeadroom ?? .max, headroom)
            facts.swapLimit = min(facts.swapLimit ?? .max, limit)
        } else {
            combinedLimit = min(combinedLimit ?? .max, limit)
            try readCombined(&level, limit: limit, usage: usage, scratch, &facts)
        }
    }

    /// v1 limits memory and swap together: what is taken as memory cannot be taken as swap.
    private func readCombined(
        _ level: inout Level, limit: UInt64, usage: UInt64, _ scratch: Scratch,
        _ facts: inout MemoryFacts
    ) throws(SystemError) {
        if let tightest = facts.obtainableWithSwap,
            clampedDifference(limit, usage) >= tightest
        {
            return
        }
        let stat = try level.readStat(scratch)
        var used = usage
        // From the same reading of memory as in ``readLimit``: the difference of the two is
        // what is shown as free swap.
        if let swapped = stat[.swapped], let memory = level.usage {
            used = clampedSum(memory, swapped)
        }
        let obtainable = clampedDifference(limit, clampedDifference(used, stat.reclaimable))
        facts.obtainableWithSwap = min(facts.obtainableWithSwap ?? .max, obtainable)
    }

    /// v1 counts memory and swap together; swap is the difference of two counters that are
    /// not read at one moment, so the exact count of `memory.stat` is preferred.
    private func readLegacySwapUsage(
        _ scratch: Scratch, _ facts: inout MemoryFacts
    ) throws(SystemError) {
        if let swapped = facts.stat[.swapped] {
            facts.swapUsage = swapped
        } else if let (_, text) = try nearest(memory, .swapUsage, scratch),
            let combined = parseNumber(text)
        {
            facts.swapUsage = clampedDifference(combined, facts.usage)
        }
    }

    private func readHugePages(
        _ scratch: Scratch, _ facts: inout MemoryFacts
    ) throws(SystemError) {
        var current = hugetlb
        while let node = current {
            if let usage = try node.number(.hugetlbUsage, scratch) {
                if facts.hugeUsage == nil { facts.hugeUsage = usage }
                if let limit = try node.number(.hugetlbLimit, scratch), limit != .max {
                    facts.hugeLimit = min(facts.hugeLimit ?? .max, limit)
                }
            }
            current = node.parent
        }
    }
}
