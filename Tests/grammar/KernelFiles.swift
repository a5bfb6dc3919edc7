/// The grammars of the kernel's files, Linux 5.15 to 6.18, by where the kernel writes them.
extension FileGrammar {
    /// The grammar of a file by the end of its path; nil for one that has none here.
    public static func of(path: String) -> FileGrammar? {
        let parts = path.split(separator: "/").map(String.init)
        guard let name = parts.last else { return nil }
        let directory = parts.count > 1 ? parts[parts.count - 2] : ""
        switch name {
        case "cpuinfo": return cpuinfo
        case "diskstats": return diskstats
        case "loadavg": return loadavg
        case "meminfo" where directory.hasPrefix("node"): return nodeMeminfo
        case "meminfo": return meminfo
        case "slabinfo": return slabinfo
        case "stat" where directory == "proc": return stat
        case "stat" where parts.contains("block"): return blockStat
        case "inflight": return inflight
        case "vmstat", "numastat": return vmstat
        case "cpulist", "has_cpu", "has_memory", "has_normal_memory": return list
        case "cpumap": return mask
        case "swaps": return swaps
        case "uptime": return uptime
        case "cpu", "io", "memory", "irq":
            return directory == "pressure" ? pressure : nil
        case "online" where directory.hasPrefix("cpu") && directory != "cpu": return number
        case "online", "offline", "possible", "present", "isolated", "nohz_full": return list
        case "kernel_max": return number
        case _ where name.hasSuffix("_list"): return list
        case "core_siblings", "thread_siblings", "core_cpus", "die_cpus", "package_cpus",
            "cluster_cpus", "book_siblings", "drawer_siblings", "shared_cpu_map":
            return mask
        default: return nil
        }
    }

    public static let all: [FileGrammar] = [
        cpuinfo, diskstats, loadavg, meminfo, nodeMeminfo, vmstat, blockStat, inflight,
        slabinfo, stat, swaps, uptime, pressure, list, mask, number,
    ]

    /// arch/x86/kernel/cpu/proc.c, arch/arm64/kernel/cpuinfo.c: a paragraph for each processor,
    /// which an empty line ends. 32-bit arm has more behind.
    /// arch/s390/kernel/processor.c: a summary, and paragraphs that an empty line begins.
    public static let cpuinfo = FileGrammar(
        anyOf: [
            [
                .blocks(
                    [
                        .one(LineFormat("processor\t: %u")),
                        .some(LineFormat("%n(\t)*:( %*)?")),
                        .one(LineFormat("")),
                    ], mayBeMissing: false),
                .any(LineFormat("%n(\t)*: %*")),
            ],
            [
                .one(LineFormat("vendor_id       : %s")),
                .mixed([LineFormat("%n: %*"), LineFormat("features\t:( %s)* ")]),
                .blocks(
                    [.one(LineFormat("")), .some(LineFormat("%n: %*"))], mayBeMissing: true),
            ],
        ])

    /// block/genhd.c, diskstats_show().
    public static let diskstats = FileGrammar(
        [.any(LineFormat("%4d %7d %s( %u){17}"))], mayBeEmpty: true)

    /// fs/proc/loadavg.c.
    public static let loadavg = FileGrammar([
        .one(LineFormat("%u.%02u %u.%02u %u.%02u %u/%u %u"))
    ])

    /// fs/proc/meminfo.c, arch_report_meminfo(), hugetlb_report_meminfo().
    public static let meminfo = FileGrammar(
        [
            .one(LineFormat("MemTotal:       %8u kB")),
            .mixed([
                LineFormat("%-16k%8u kB"), LineFormat("HardwareCorrupted: %5u kB"),
                LineFormat("HugePages_Total:   %5u"), LineFormat("HugePages_Free:    %5u"),
                LineFormat("HugePages_Rsvd:    %5u"), LineFormat("HugePages_Surp:    %5u"),
                LineFormat("Hugepagesize:   %8u kB"), LineFormat("Hugetlb:        %8u kB"),
            ]),
        ], hasUniqueKeys: true)

    /// drivers/base/node.c, node_read_meminfo(); hugetlb_report_node_meminfo().
    public static let nodeMeminfo = FileGrammar([
        .one(LineFormat("Node %u MemTotal:       %8u kB")),
        .mixed([
            LineFormat("Node %u %-16k%8u kB"), LineFormat("Node %u HugePages_Total: %5u"),
            LineFormat("Node %u HugePages_Free:  %5u"),
            LineFormat("Node %u HugePages_Surp:  %5u"),
        ]),
    ])

    /// mm/vmstat.c, vmstat_show(); drivers/base/node.c, node_read_vmstat(), node_read_numastat().
    public static let vmstat = FileGrammar([.some(LineFormat("%s %u"))], hasUniqueKeys: true)

    /// block/genhd.c, part_stat_show(), part_inflight_show().
    public static let blockStat = FileGrammar([.one(LineFormat("%8u( %8u){16}"))])
    public static let inflight = FileGrammar([.one(LineFormat("%8u %8u"))])

    /// mm/slub.c, print_slabinfo_header() and slab_show().
    public static let slabinfo = FileGrammar([
        .one(LineFormat("slabinfo - version: 2.1")),
        .one(
            LineFormat(
                "# name            <active_objs> <num_objs> <objsize> <objperslab> "
                    + "<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata "
                    + "<active_slabs> <num_slabs> <sharedavail>")),
        .any(
            LineFormat(
                "%-17s %6u %6u %6u %4u %4d : tunables %4u %4u %4u : slabdata %6u %6u %6u")),
    ])

    /// fs/proc/stat.c.
    public static let stat = FileGrammar([
        .one(LineFormat("cpu  %u( %u){9}")),
        .any(LineFormat("cpu%u( %u){10}")),
        .one(LineFormat("intr %u( %u)*")),
        .one(LineFormat("ctxt %u")),
        .one(LineFormat("btime %u")),
        .one(LineFormat("processes %u")),
        .one(LineFormat("procs_running %u")),
        .one(LineFormat("procs_blocked %u")),
        .one(LineFormat("softirq %u( %u){10}")),
    ])

    /// mm/swapfile.c, swap_show(): numbers of less than eight digits have one tabulator more.
    public static let swaps = FileGrammar([
        .one(LineFormat("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority")),
        .any(LineFormat("%-40s( )?partition\t%u\t(\t)?%u\t(\t)?%d")),
        .any(LineFormat("%-40s( )?file\t\t%u\t(\t)?%u\t(\t)?%d")),
    ])

    /// fs/proc/uptime.c.
    public static let uptime = FileGrammar([.one(LineFormat("%u.%02u %u.%02u"))])

    /// kernel/sched/psi.c, psi_show().
    public static let pressure = FileGrammar([
        .optional(pressureLine("some")), .optional(pressureLine("full")),
    ])

    private static func pressureLine(_ kind: String) -> LineFormat {
        LineFormat("\(kind) avg10=%u.%02u avg60=%u.%02u avg300=%u.%02u total=%u")
    }

    /// lib/bitmap.c, bitmap_print_to_pagebuf().
    public static let list = FileGrammar([.one(LineFormat("%L"))])
    public static let mask = FileGrammar([.one(LineFormat("%M"))])
    public static let number = FileGrammar([.one(LineFormat("%u"))])
}
