import Control

/// The metrics of single containers.
public enum ContainerMetrics {
    /// - Parameters:
    ///   - usage: in the order in which they were registered.
    ///   - limit: no more than this many are told, so that the number of series is bounded.
    public static func families(_ usage: [ContainerUsage], limit: Int) -> [MetricFamily] {
        let told = usage.prefix(max(limit, 0))
        let shortIDs = ShortIDs(usage.map(\.id))
        var leftOut = MetricFamily(
            "lxcfsd_containers_left_out", .gauge,
            "Containers beyond the number that --containers allows.")
        leftOut.add(UInt64(usage.count - told.count))
        var families = Families()
        for container in told {
            families.add(container, PlainText.escape(shortIDs.short(container.id)))
        }
        return [leftOut] + families.all
    }

    private struct Families {
        var uptime = MetricFamily(
            "lxcfsd_container_uptime_seconds", .gauge, unit: "seconds",
            "Uptime as the container sees it.")
        var cpu = MetricFamily(
            "lxcfsd_container_cpu_seconds", .counter, unit: "seconds",
            "CPU time that the container has used.")
        var cpus = MetricFamily(
            "lxcfsd_container_cpus", .gauge, "CPUs that the container sees.")
        var quota = MetricFamily(
            "lxcfsd_container_cpu_quota", .gauge,
            "How many CPUs' time the container's quota allows; none without a quota.")
        var memory = MetricFamily(
            "lxcfsd_container_memory_bytes", .gauge, unit: "bytes",
            "MemTotal as the container sees it.")
        var available = MetricFamily(
            "lxcfsd_container_memory_available_bytes", .gauge, unit: "bytes",
            "MemAvailable as the container sees it.")
        var swap = MetricFamily(
            "lxcfsd_container_swap_bytes", .gauge, unit: "bytes",
            "SwapTotal as the container sees it.")
        var swapFree = MetricFamily(
            "lxcfsd_container_swap_free_bytes", .gauge, unit: "bytes",
            "SwapFree as the container sees it.")
        var tasks = MetricFamily(
            "lxcfsd_container_tasks", .gauge, "Processes and threads of the container.")
        var load = MetricFamily(
            "lxcfsd_container_load", .gauge,
            "Load averages as the container sees them; none as long as nobody reads them.")
        var pressure = MetricFamily(
            "lxcfsd_container_pressure_ratio", .gauge, unit: "ratio",
            "Part of the last 10 seconds in which some task waited for the resource.")

        var all: [MetricFamily] {
            [
                uptime, cpu, cpus, quota, memory, available, swap, swapFree, tasks, load,
                pressure,
            ]
        }

        mutating func add(_ usage: ContainerUsage, _ id: String) {
            let label: KeyValuePairs = ["container": id]
            uptime.add(usage.uptime, label)
            cpu.add(usage.cpuTime.map { Double($0) / 1e9 }, label)
            cpus.add(usage.cpus.map { UInt64(clamping: $0) }, label)
            quota.add(usage.cpuQuota, label)
            memory.add(usage.memoryTotal, label)
            available.add(usage.memoryAvailable, label)
            swap.add(usage.swapTotal, label)
            swapFree.add(usage.swapFree, label)
            tasks.add(usage.tasks, label)
            for (minutes, value) in zip(["1", "5", "15"], usage.load ?? []) {
                load.add(value, ["container": id, "minutes": minutes])
            }
            for (resource, value) in (usage.pressure ?? [:]).sorted(by: { $0.key < $1.key }) {
                pressure.add(value / 100, ["container": id, "resource": resource])
            }
        }
    }
}
