/// A quantity of `memory.stat`, by what it means in `/proc/meminfo`.
///
/// Sources: "memory.stat" in Documentation/admin-guide/cgroup-v2.rst and
/// cgroup-v1/memory.rst. Everything is in bytes.
public enum MemoryField: Int, CaseIterable, Sendable {
    /// Page cache, with shmem, without the swap cache (which no cgroup is charged for here:
    /// `NR_FILE_PAGES` counts it per node alone).
    case file
    case anon
    case shmem
    case fileMapped
    case fileDirty
    case fileWriteback
    case swapCached
    case anonHuge
    case shmemHuge
    case fileHuge
    case inactiveAnon
    case activeAnon
    case inactiveFile
    case activeFile
    case unevictable
    case slabReclaimable
    case slabUnreclaimable
    case kernelStack
    case pageTables
    case secPageTables
    case percpu
    /// v2 only: memory behind vmalloc mappings.
    case vmalloc
    /// Memory that the compressed swap cache takes.
    case zswap
    /// What is stored in it.
    case zswapped
    /// v1 only: pages of the cgroup that are swapped out.
    case swapped

    /// The key on cgroup v2; nil where it has none.
    var unifiedKey: StaticString? {
        switch self {
        case .file: "file"
        case .anon: "anon"
        case .shmem: "shmem"
        case .fileMapped: "file_mapped"
        case .fileDirty: "file_dirty"
        case .fileWriteback: "file_writeback"
        case .swapCached: "swapcached"
        case .anonHuge: "anon_thp"
        case .shmemHuge: "shmem_thp"
        case .fileHuge: "file_thp"
        case .inactiveAnon: "inactive_anon"
        case .activeAnon: "active_anon"
        case .inactiveFile: "inactive_file"
        case .activeFile: "active_file"
        case .unevictable: "unevictable"
        case .slabReclaimable: "slab_reclaimable"
        case .slabUnreclaimable: "slab_unreclaimable"
        case .kernelStack: "kernel_stack"
        case .pageTables: "pagetables"
        case .secPageTables: "sec_pagetables"
        case .percpu: "percpu"
        case .vmalloc: "vmalloc"
        case .zswap: "zswap"
        case .zswapped: "zswapped"
        case .swapped: nil
        }
    }

    /// The key on cgroup v1, of the cgroup with all below it; nil where it has none.
    var legacyKey: StaticString? {
        switch self {
        case .file: "total_cache"
        case .anon: "total_rss"
        case .shmem: "total_shmem"
        case .fileMapped: "total_mapped_file"
        case .fileDirty: "total_dirty"
        case .fileWriteback: "total_writeback"
        case .swapCached: "total_swapcached"
        case .anonHuge: "total_rss_huge"
        case .inactiveAnon: "total_inactive_anon"
        case .activeAnon: "total_active_anon"
        case .inactiveFile: "total_inactive_file"
        case .activeFile: "total_active_file"
        case .unevictable: "total_unevictable"
        case .swapped: "total_swap"
        default: nil
        }
    }
}
