import Cgroups
import KernelText

/// `/proc/vmstat` of a container: the lines of the host's file in their order.
///
/// Amounts are those of ``Meminfo``; events are what the kernel counts of the cgroup. All else
/// is 0. Nothing but free memory is more than the host's, and no event runs backwards.
public struct Vmstat {
    public let meminfo: Meminfo
    /// What has been read from block devices and written to them, in bytes.
    public let transferred: Transfers
    public let pageSize: UInt64
    /// The size of a transparent huge page, in bytes.
    public let hugePageSize: UInt64

    public init(
        _ meminfo: Meminfo, transferred: Transfers, pageSize: UInt64, hugePageSize: UInt64
    ) {
        self.meminfo = meminfo
        self.transferred = transferred
        self.pageSize = max(pageSize, 1)
        self.hugePageSize = max(hugePageSize, 1)
    }

    /// - Parameter text: the host's `/proc/vmstat`.
    public func render(host text: Bytes, _ counters: MemoryCounters, into out: TextBuffer) {
        var lines = Scanner(text)
        var amounts = VmstatAmounts(pageSize: pageSize, hugePageSize: hugePageSize)
        while let line = lines.line() {
            let end = line.firstIndex(of: space, from: 0)
            let name = line.part(0..<end)
            out.append(name)
            if end < line.count {
                let host = parseNumber(line.part(end..<line.count)) ?? 0
                out.append(space)
                let own =
                    name.starts(with: "nr_")
                    ? amounts.amount(name) { meminfo.value(of: $0, host: 0) }
                        ?? threshold(name, host: host) : events(name, counters)
                // Some kernels count an event twice for a cgroup (6.12: thp_fault_alloc).
                out.append(number: name.equals("nr_free_pages") ? own : min(own, host))
            }
            out.append(newline)
        }
    }

    /// How much may be dirty, which is a share of the memory: as much of the host's number as the
    /// container has of the host's memory.
    private func threshold(_ name: Bytes, host value: UInt64) -> UInt64 {
        guard name.equals("nr_dirty_threshold") || name.equals("nr_dirty_background_threshold"),
            meminfo.host.total > 0
        else { return 0 }
        let (product, overflow) = value.multipliedReportingOverflow(
            by: meminfo.view.total / pageSize)
        let pages = max(meminfo.host.total / pageSize, 1)
        return overflow ? 0 : min(product / pages, value)
    }

    private func events(_ name: Bytes, _ counters: MemoryCounters) -> UInt64 {
        // In kilobytes, as the kernel shows what it counts in sectors.
        if name.equals("pgpgin") { return transferred.read / 1024 }
        if name.equals("pgpgout") { return transferred.written / 1024 }
        return counters[name] ?? 0
    }
}
