import Control

/// The metrics of the daemon.
public enum DaemonMetrics {
    /// - Parameters:
    ///   - status: nil if the daemon does not answer.
    ///   - processes: those of the daemon that could be looked at.
    public static func families(
        _ status: DaemonStatus?, _ processes: [ProcessFigures] = []
    ) -> [MetricFamily] {
        var up = MetricFamily("lxcfsd_up", .gauge, "1 if lxcfsd answers, else 0.")
        up.add(status == nil ? 0 : UInt64(1))
        guard let status else { return [up] }
        return [up] + state(status) + work(status) + costs(processes)
    }

    private static func state(_ status: DaemonStatus) -> [MetricFamily] {
        var info = MetricFamily(
            "lxcfsd_build_info", .gauge, "Always 1; the labels say what runs.")
        info.add(1 as UInt64, ["version": status.version, "cgroups": status.cgroupVersion])
        var uptime = MetricFamily(
            "lxcfsd_uptime_seconds", .gauge, unit: "seconds",
            "How long the keeper has run. Upgrades begin it anew.")
        uptime.add(status.uptime)
        var workers = MetricFamily(
            "lxcfsd_workers_started", .counter,
            "Workers since the FUSE connections were made, those of upgrades included.")
        workers.add(status.workers)
        var deaths = MetricFamily(
            "lxcfsd_worker_deaths", .counter,
            "Workers that ended though nobody had told them to: crashed, killed, hung.")
        deaths.add(status.workerDeaths)
        var upgrades = MetricFamily(
            "lxcfsd_upgrades", .counter, "Upgrades (SIGHUP) that went well.")
        upgrades.add(status.upgrades)
        var passthrough = MetricFamily(
            "lxcfsd_passthrough", .gauge,
            "1 if containers are shown the host (SIGUSR2), else 0.")
        passthrough.add(status.passesThrough.map { $0 ? 1 : 0 as UInt64 })
        var containers = MetricFamily(
            "lxcfsd_containers", .gauge, "Containers that are registered.")
        containers.add(UInt64(clamping: status.containers))
        var listeners = MetricFamily(
            "lxcfsd_seccomp_listeners", .gauge,
            "Seccomp notify descriptors that are served, one for each process that was started with the profile."
        )
        listeners.add(status.listeners.map { UInt64(clamping: $0) })
        var unwritten = MetricFamily(
            "lxcfsd_unwritten_states", .gauge,
            "Containers whose state could not be written; it is tried again.")
        unwritten.add(status.unwrittenStates.map { UInt64(clamping: $0) })
        return [
            info, uptime, workers, deaths, upgrades, passthrough, containers, listeners,
            unwritten,
        ]
    }

    private static func work(_ status: DaemonStatus) -> [MetricFamily] {
        let other: Set = ["calls", "passed", "hasty", "store"]
        var requests = MetricFamily(
            "lxcfsd_requests", .counter,
            "FUSE requests that the present worker has answered, by kind.")
        for (kind, count) in status.requests.sorted(by: { $0.key < $1.key })
        where !other.contains(kind) {
            requests.add(count, ["kind": kind])
        }
        var stores = MetricFamily(
            "lxcfsd_stores", .counter,
            "Contents that the present worker has put into the kernel's page cache.")
        stores.add(status.requests["store"])
        var overloads = MetricFamily(
            "lxcfsd_overloads", .counter,
            "Requests of containers with too many that wait: refused with EAGAIN, or answered with what was there."
        )
        overloads.add(status.requests["hasty"])
        var refused = MetricFamily(
            "lxcfsd_opens_refused", .counter,
            "Opens, and reads from a file's start, that were refused because the container had too much open (EMFILE)."
        )
        refused.add(status.refusedOpens)
        var openFiles = MetricFamily(
            "lxcfsd_open_files", .gauge, "Files of the caller tree that are open.")
        openFiles.add(status.openFiles.map { UInt64(clamping: $0) })
        var calls = MetricFamily(
            "lxcfsd_seccomp_calls", .counter,
            "Intercepted system calls, by who has carried them out: the daemon, or the kernel.")
        calls.add(status.requests["calls"], ["by": "daemon"])
        calls.add(status.requests["passed"], ["by": "kernel"])
        return [requests, stores, overloads, refused, openFiles, calls]
    }

    private static func costs(_ processes: [ProcessFigures]) -> [MetricFamily] {
        var cpu = MetricFamily(
            "lxcfsd_process_cpu_seconds", .counter, unit: "seconds",
            "CPU time of the daemon's processes.")
        var memory = MetricFamily(
            "lxcfsd_process_resident_memory_bytes", .gauge, unit: "bytes",
            "Resident memory of the daemon's processes.")
        var threads = MetricFamily(
            "lxcfsd_process_threads", .gauge, "Threads of the daemon's processes.")
        var open = MetricFamily(
            "lxcfsd_process_open_fds", .gauge, "Descriptors that they have open.")
        var most = MetricFamily(
            "lxcfsd_process_max_fds", .gauge, "Descriptors that they may have open.")
        for process in processes {
            cpu.add(process.cpu, ["process": process.role])
            memory.add(process.residentMemory, ["process": process.role])
            threads.add(process.threads, ["process": process.role])
            open.add(process.openDescriptors, ["process": process.role])
            most.add(process.mostDescriptors, ["process": process.role])
        }
        return [cpu, memory, threads, open, most]
    }
}
