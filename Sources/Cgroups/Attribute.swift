/// A file of a cgroup directory, by its meaning. v1 and v2 name it differently, and not
/// every file exists on both (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/).
public enum Attribute: CaseIterable, Sendable {
    case memoryLimit
    /// v2: where the kernel begins to throttle.
    case memoryHigh
    case memoryUsage
    case memoryStat
    /// What of it is on which NUMA node.
    case memoryNUMA
    /// How often processes have been killed for want of memory, among others.
    case memoryEvents
    /// v2: a limit on swap alone. v1: a limit on memory and swap together.
    case swapLimit
    case swapUsage
    case cpuStat
    /// v2: "quota period"; v1: the quota alone.
    case cpuQuota
    case cpuPeriod
    case cpuUsagePerCPU
    case cpusEffective
    case cpusRequested
    /// NUMA nodes of which it may have memory.
    case memsEffective
    case memsRequested
    case ioBytes
    case ioCount
    case ioBytesBFQ
    case ioCountBFQ
    case pidsCurrent
    case hugetlbLimit
    case hugetlbUsage
    case pressureCPU
    case pressureMemory
    case pressureIO

    /// The file's name; nil where that version has no such file.
    ///
    /// - Parameter hugePage: the default huge page size as the file names write it (`2MB`).
    func fileName(unified: Bool, hugePage: String) -> String? {
        unified ? unifiedName(hugePage) : legacyName(hugePage)
    }

    private func unifiedName(_ hugePage: String) -> String? {
        switch self {
        case .memoryLimit: "memory.max"
        case .memoryHigh: "memory.high"
        case .memoryUsage: "memory.current"
        case .memoryStat: "memory.stat"
        case .memoryNUMA: "memory.numa_stat"
        case .memoryEvents: "memory.events"
        case .swapLimit: "memory.swap.max"
        case .swapUsage: "memory.swap.current"
        case .cpuStat: "cpu.stat"
        case .cpuQuota: "cpu.max"
        case .cpusEffective: "cpuset.cpus.effective"
        case .cpusRequested: "cpuset.cpus"
        case .memsEffective: "cpuset.mems.effective"
        case .memsRequested: "cpuset.mems"
        case .ioBytes: "io.stat"
        case .pidsCurrent: "pids.current"
        case .hugetlbLimit: "hugetlb.\(hugePage).max"
        case .hugetlbUsage: "hugetlb.\(hugePage).current"
        case .pressureCPU: "cpu.pressure"
        case .pressureMemory: "memory.pressure"
        case .pressureIO: "io.pressure"
        case .cpuPeriod, .cpuUsagePerCPU, .ioCount, .ioBytesBFQ, .ioCountBFQ: nil
        }
    }

    private func legacyName(_ hugePage: String) -> String? {
        switch self {
        case .memoryLimit: "memory.limit_in_bytes"
        case .memoryUsage: "memory.usage_in_bytes"
        case .memoryStat: "memory.stat"
        case .memoryNUMA: "memory.numa_stat"
        case .memoryEvents: "memory.oom_control"
        case .swapLimit: "memory.memsw.limit_in_bytes"
        case .swapUsage: "memory.memsw.usage_in_bytes"
        case .cpuStat: "cpuacct.stat"
        case .cpuQuota: "cpu.cfs_quota_us"
        case .cpuPeriod: "cpu.cfs_period_us"
        case .cpuUsagePerCPU: "cpuacct.usage_percpu"
        case .cpusEffective: "cpuset.effective_cpus"
        case .cpusRequested: "cpuset.cpus"
        case .memsEffective: "cpuset.effective_mems"
        case .memsRequested: "cpuset.mems"
        case .ioBytes: "blkio.throttle.io_service_bytes_recursive"
        case .ioCount: "blkio.throttle.io_serviced_recursive"
        case .ioBytesBFQ: "blkio.bfq.io_service_bytes_recursive"
        case .ioCountBFQ: "blkio.bfq.io_serviced_recursive"
        case .pidsCurrent: "pids.current"
        case .hugetlbLimit: "hugetlb.\(hugePage).limit_in_bytes"
        case .hugetlbUsage: "hugetlb.\(hugePage).usage_in_bytes"
        case .memoryHigh, .pressureCPU, .pressureMemory, .pressureIO: nil
        }
    }
}
