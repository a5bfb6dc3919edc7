import Cgroups
import KernelText

/// `/proc/meminfo` of a container: the lines of the host's file, in their order and layout,
/// with the container's values.
///
/// A line that says nothing about the container, among them those that only a newer kernel
/// has, stays in its place with the value 0.
public struct Meminfo {
    public let view: MemoryView
    public let facts: MemoryFacts
    public let host: HostMemory

    public init(_ facts: MemoryFacts, host: HostMemory, swap: Bool = true) {
        view = MemoryView(facts, host: host, swap: swap)
        self.facts = facts
        self.host = host
    }

    /// - Parameter text: the host's `/proc/meminfo`.
    public func render(host text: Bytes, into out: TextBuffer) {
        var lines = Scanner(text)
        var next = 0
        while let line = lines.line() {
            let colon = line.firstIndex(of: UInt8(ascii: ":"), from: 0)
            guard colon < line.count else {
                out.append(line)
                out.append(newline)
                continue
            }
            var rest = Scanner(line.part(colon + 1..<line.count))
            let hostValue = rest.number() ?? 0
            let unit = rest.text.part(rest.position..<rest.text.count)
            let field = MeminfoField(line.part(0..<colon), from: next)
            if let field { next = field.rawValue + 1 }
            let start = out.count
            out.append(line.part(0..<colon + 1))
            // The kernel's layout: the name in 16 columns (19 for `HugePages_*`, which are no
            // kilobytes, and where it is too long for that), the number right-aligned to column 24.
            let inKilobytes = !unit.isEmpty
            let column = inKilobytes && colon + 1 <= 16 ? 16 : 19
            out.append(space, times: column - (out.count - start))
            var value = field.map { self.value(of: $0, host: hostValue) } ?? 0
            if inKilobytes { value /= 1024 }
            // The cgroup's counters and the host's are not read at one moment.
            if field?.isPartOfHost ?? false { value = min(value, hostValue) }
            out.append(number: value, width: 24 - column)
            out.append(unit)
            out.append(newline)
        }
    }

    /// In bytes, or in pages for `HugePages_*`.
    func value(of field: MeminfoField, host hostValue: UInt64) -> UInt64 {
        let parts = view.parts
        switch field {
        case .memTotal: return view.total
        case .memFree: return view.free
        case .memAvailable: return view.available
        case .buffers: return 0
        case .cached: return parts.cached
        case .swapCached: return parts.swapCached
        case .active: return clampedSum(parts.activeAnon, parts.activeFile)
        case .inactive: return clampedSum(parts.inactiveAnon, parts.inactiveFile)
        case .activeAnon: return parts.activeAnon
        case .inactiveAnon: return parts.inactiveAnon
        case .activeFile: return parts.activeFile
        case .inactiveFile: return parts.inactiveFile
        case .unevictable: return parts.unevictable
        case .swapTotal: return view.swapTotal
        case .swapFree: return view.swapFree
        case .zswap: return parts.zswap
        case .zswapped: return parts.zswapped
        case .dirty: return parts.dirty
        case .writeback: return parts.writeback
        case .anonPages: return parts.anon
        case .mapped: return parts.mapped
        case .shmem: return parts.shmem
        case .kReclaimable, .sReclaimable: return parts.slabReclaimable
        case .slab: return clampedSum(parts.slabReclaimable, parts.slabUnreclaimable)
        case .sUnreclaim: return parts.slabUnreclaimable
        case .kernelStack: return parts.kernelStack
        case .pageTables: return parts.pageTables
        case .secPageTables: return parts.secPageTables
        case .commitLimit: return commitLimit
        case .committed: return committed
        case .vmallocTotal: return hostValue.multipliedReportingOverflow(by: 1024).partialValue
        case .vmallocUsed: return parts.vmalloc
        case .percpu: return parts.percpu
        case .anonHugePages: return parts.anonHuge
        case .shmemHugePages: return parts.shmemHuge
        case .fileHugePages: return parts.fileHuge
        case .hugePagesTotal: return hugePages
        case .hugePagesFree: return hugePagesFree
        case .hugePageSize: return host.hugePageSize
        case .hugetlb:
            return hugePages.multipliedReportingOverflow(by: host.hugePageSize).partialValue
        }
    }

    /// The kernel's formula (a share of memory, and all swap) with the host's share.
    private var commitLimit: UInt64 {
        let ofMemory = clampedDifference(host.commitLimit, host.swapTotal)
        let share = host.total == 0 ? 0 : Double(ofMemory) / Double(host.total)
        let own = min(Double(view.total) * share, 0x1p62)
        return min(clampedSum(UInt64(own), view.swapTotal), host.commitLimit)
    }

    /// What is certainly committed: memory that has been written to. The kernel counts
    /// reservations only for the whole machine.
    private var committed: UInt64 {
        let stat = facts.stat
        let swapped = min(facts.swapUsage, view.swapTotal)
        return min(
            clampedSum(clampedSum(stat.bytes(.anon), stat.bytes(.shmem)), swapped),
            host.committed)
    }

    private var hugePages: UInt64 {
        guard host.hugePageSize > 0, let limit = facts.hugeLimit else { return host.hugePages }
        return min(host.hugePages, limit / host.hugePageSize)
    }

    private var hugePagesFree: UInt64 {
        guard host.hugePageSize > 0 else { return 0 }
        let used = (facts.hugeUsage ?? 0) / host.hugePageSize
        return min(clampedDifference(hugePages, used), host.hugePagesFree)
    }
}
