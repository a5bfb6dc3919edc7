import Cgroups
import KernelText

/// What the used memory of a container consists of, in bytes: the lines of `/proc/meminfo`
/// between `Cached` and `FileHugePages`.
///
/// No part is more than the whole, as on any machine (`fs/proc/meminfo.c`):
///
/// - `anon + cached +` slab, stacks, page tables, percpu and zswap `<= room`
/// - `shmem + fileHuge <= cached`, `anonHuge <= anon`, `shmemHuge <= shmem`
/// - what is active, inactive and unevictable together `<= room`
/// - `mapped` and `dirty <= cached`, `swapCached` and `zswapped <= swapUsed`
///
/// The kernel's counters break these when a limit is lowered below the usage, and for the
/// moment in which they are not brought up to date together.
public struct MemoryBreakdown: Equatable, Sendable {
    public let anon: UInt64
    /// Page cache, shmem included.
    public let cached: UInt64
    public let shmem: UInt64
    public let slabReclaimable: UInt64
    public let slabUnreclaimable: UInt64
    public let kernelStack: UInt64
    public let pageTables: UInt64
    public let secPageTables: UInt64
    public let percpu: UInt64
    /// Memory that compressed swap takes.
    public let zswap: UInt64
    public let zswapped: UInt64
    public let activeAnon: UInt64
    public let inactiveAnon: UInt64
    public let activeFile: UInt64
    public let inactiveFile: UInt64
    public let unevictable: UInt64
    public let swapCached: UInt64
    public let dirty: UInt64
    public let writeback: UInt64
    public let mapped: UInt64
    public let vmalloc: UInt64
    public let anonHuge: UInt64
    public let shmemHuge: UInt64
    public let fileHuge: UInt64

    /// - Parameters:
    ///   - room: memory that is not free: what all parts together cannot be more than.
    ///   - swapUsed: likewise of swap.
    init(_ stat: MemoryStat, host: HostMemory, room: UInt64, swapUsed: UInt64) {
        // If there is not enough room for all, what the kernel would reclaim first goes.
        var left = Room(left: room)
        anon = left.take(stat.bytes(.anon))
        shmem = left.take(min(stat.bytes(.shmem), stat.bytes(.file)))
        slabUnreclaimable = left.take(
            min(stat.bytes(.slabUnreclaimable), host.slabUnreclaimable))
        kernelStack = left.take(stat.bytes(.kernelStack))
        pageTables = left.take(stat.bytes(.pageTables))
        secPageTables = left.take(stat.bytes(.secPageTables))
        percpu = left.take(stat.bytes(.percpu))
        zswap = left.take(stat.bytes(.zswap))
        let file = left.take(clampedDifference(stat.bytes(.file), stat.bytes(.shmem)))
        slabReclaimable = left.take(min(stat.bytes(.slabReclaimable), host.slabReclaimable))
        cached = clampedSum(shmem, file)

        // Another division of the same memory: the kernel's lists of pages.
        var lists = Room(left: room)
        unevictable = lists.take(stat.bytes(.unevictable))
        activeAnon = lists.take(min(stat.bytes(.activeAnon), host.activeAnon))
        inactiveAnon = lists.take(min(stat.bytes(.inactiveAnon), host.inactiveAnon))
        activeFile = lists.take(min(stat.bytes(.activeFile), host.activeFile))
        inactiveFile = lists.take(min(stat.bytes(.inactiveFile), host.inactiveFile))

        anonHuge = min(stat.bytes(.anonHuge), anon)
        shmemHuge = min(stat.bytes(.shmemHuge), shmem)
        fileHuge = min(stat.bytes(.fileHuge), file)
        mapped = min(stat.bytes(.fileMapped), cached)
        dirty = min(stat.bytes(.fileDirty), cached)
        // Also of what is being written to swap.
        writeback = min(stat.bytes(.fileWriteback), room)
        vmalloc = min(stat.bytes(.vmalloc), room)
        swapCached = min(stat.bytes(.swapCached), swapUsed, room)
        zswapped = min(stat.bytes(.zswapped), swapUsed)
    }

    private struct Room {
        var left: UInt64

        mutating func take(_ wanted: UInt64) -> UInt64 {
            let taken = min(wanted, left)
            left -= taken
            return taken
        }
    }
}
