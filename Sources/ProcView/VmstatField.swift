import KernelText

/// A line of `/proc/vmstat` that says how much there is of something (`vmstat_text` in the
/// kernel's mm/vmstat.c), and the line of `/proc/meminfo` that says the same.
struct VmstatField {
    /// What the number counts.
    enum Unit {
        case pages, kilobytes
        /// Pages of the size of a page middle directory (`vmstat_item_print_in_thp`).
        case hugePages
    }

    let name: StaticString
    let meminfo: MeminfoField
    let unit: Unit

    private init(_ name: StaticString, _ meminfo: MeminfoField, _ unit: Unit = .pages) {
        self.name = name
        self.meminfo = meminfo
        self.unit = unit
    }

    /// In the kernel's order.
    static let all = [
        VmstatField("nr_free_pages", .memFree),
        VmstatField("nr_zone_inactive_anon", .inactiveAnon),
        VmstatField("nr_zone_active_anon", .activeAnon),
        VmstatField("nr_zone_inactive_file", .inactiveFile),
        VmstatField("nr_zone_active_file", .activeFile),
        VmstatField("nr_zone_unevictable", .unevictable),
        // Linux up to 5.16 has them here, later ones below.
        VmstatField("nr_page_table_pages", .pageTables),
        VmstatField("nr_kernel_stack", .kernelStack, .kilobytes),
        VmstatField("nr_zspages", .zswap),
        VmstatField("nr_inactive_anon", .inactiveAnon),
        VmstatField("nr_active_anon", .activeAnon),
        VmstatField("nr_inactive_file", .inactiveFile),
        VmstatField("nr_active_file", .activeFile),
        VmstatField("nr_unevictable", .unevictable),
        VmstatField("nr_slab_reclaimable", .sReclaimable),
        VmstatField("nr_slab_unreclaimable", .sUnreclaim),
        VmstatField("nr_anon_pages", .anonPages),
        VmstatField("nr_mapped", .mapped),
        VmstatField("nr_dirty", .dirty),
        VmstatField("nr_writeback", .writeback),
        VmstatField("nr_shmem", .shmem),
        VmstatField("nr_shmem_hugepages", .shmemHugePages, .hugePages),
        VmstatField("nr_file_hugepages", .fileHugePages, .hugePages),
        VmstatField("nr_anon_transparent_hugepages", .anonHugePages, .hugePages),
        VmstatField("nr_sec_page_table_pages", .secPageTables),
        VmstatField("nr_swapcached", .swapCached),
    ]

    /// The index in ``all`` of the field that is called `name`, the search beginning at `start`.
    static func index(of name: Bytes, from start: Int) -> Int? {
        let fields = all
        for step in 0..<fields.count {
            let index = (start + step) % fields.count
            if name.equals(fields[index].name) { return index }
        }
        return nil
    }
}
