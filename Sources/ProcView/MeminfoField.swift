import KernelText

/// A line of `/proc/meminfo` (proc_meminfo(5)), in the order of the kernel's
/// `fs/proc/meminfo.c`.
enum MeminfoField: Int, CaseIterable {
    case memTotal, memFree, memAvailable, buffers, cached, swapCached, active, inactive
    case activeAnon, inactiveAnon, activeFile, inactiveFile, unevictable
    case swapTotal, swapFree, zswap, zswapped, dirty, writeback, anonPages, mapped, shmem
    case kReclaimable, slab, sReclaimable, sUnreclaim, kernelStack, pageTables
    case secPageTables, commitLimit, committed, vmallocTotal, vmallocUsed
    case percpu, anonHugePages
    case shmemHugePages, fileHugePages
    case hugePagesTotal, hugePagesFree, hugePageSize, hugetlb

    var name: StaticString {
        switch self {
        case .memTotal: "MemTotal"
        case .memFree: "MemFree"
        case .memAvailable: "MemAvailable"
        case .buffers: "Buffers"
        case .cached: "Cached"
        case .swapCached: "SwapCached"
        case .active: "Active"
        case .inactive: "Inactive"
        case .activeAnon: "Active(anon)"
        case .inactiveAnon: "Inactive(anon)"
        case .activeFile: "Active(file)"
        case .inactiveFile: "Inactive(file)"
        case .unevictable: "Unevictable"
        case .swapTotal: "SwapTotal"
        case .swapFree: "SwapFree"
        case .zswap: "Zswap"
        case .zswapped: "Zswapped"
        case .dirty: "Dirty"
        case .writeback: "Writeback"
        case .anonPages: "AnonPages"
        case .mapped: "Mapped"
        case .shmem: "Shmem"
        case .kReclaimable: "KReclaimable"
        case .slab: "Slab"
        case .sReclaimable: "SReclaimable"
        case .sUnreclaim: "SUnreclaim"
        case .kernelStack: "KernelStack"
        case .pageTables: "PageTables"
        case .secPageTables: "SecPageTables"
        case .commitLimit: "CommitLimit"
        case .committed: "Committed_AS"
        case .vmallocTotal: "VmallocTotal"
        case .vmallocUsed: "VmallocUsed"
        case .percpu: "Percpu"
        case .anonHugePages: "AnonHugePages"
        case .shmemHugePages: "ShmemHugePages"
        case .fileHugePages: "FileHugePages"
        case .hugePagesTotal: "HugePages_Total"
        case .hugePagesFree: "HugePages_Free"
        case .hugePageSize: "Hugepagesize"
        case .hugetlb: "Hugetlb"
        }
    }

    /// Whether the value is the container's share of the same line of the host, so that it
    /// cannot be more. The others have bounds of their own (`MemoryView`, `hugePages`), and
    /// the page cache of a cgroup has what the host calls Buffers in it.
    var isPartOfHost: Bool {
        switch self {
        case .memTotal, .memFree, .memAvailable, .buffers, .cached, .swapTotal, .swapFree,
            .commitLimit, .committed, .vmallocTotal, .hugePagesTotal, .hugePagesFree,
            .hugePageSize, .hugetlb:
            false
        default: true
        }
    }

    private static let names = allCases.map { (field: $0, name: $0.name) }

    /// The field that is called `name`, the search beginning at `start`; nil for a line of
    /// which a container has no value of its own.
    init?(_ name: Bytes, from start: Int = 0) {
        let names = Self.names
        for step in 0..<names.count {
            let index = (start + step) % names.count
            if name.equals(names[index].name) {
                self = names[index].field
                return
            }
        }
        return nil
    }
}
