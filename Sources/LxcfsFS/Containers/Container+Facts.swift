import Cgroups
import Control
import Glibc
import KernelText
import ProcView
import Syscalls

/// Gathering what the files of a container are made from. The caller holds `lock`.
extension Container {
    /// What the container uses of memory and may use.
    func readMemory(_ host: Host, _ workspace: Workspace) throws(SystemError) -> MemoryFacts {
        let (parts, size) = try host.meminfo.with(now: host.now()) { ($1.parts, $1.total) }
        return try cgroups.readMemory(workspace.scratch, parts, hostSize: size)
    }

    /// The sizes that the container is shown.
    func memoryView(
        _ facts: MemoryFacts, _ host: Host
    ) throws(SystemError) -> MemoryView {
        try host.meminfo.with(now: host.now()) {
            MemoryView(facts, host: $1, swap: showSwap)
        }
    }

    /// - Returns: whether the visible CPUs are others than the last time.
    @discardableResult
    func updateVisible(_ host: Host, _ workspace: Workspace) throws(SystemError) -> Bool {
        if host.passesThrough {
            return try host.online.withText(now: host.now(), maxAge: host.window) { online in
                visible.update(cpuset: nil, online: online.trimmed, quota: nil)
            }
        }
        let quota = cpuView == .quota ? try cgroups.readQuota(workspace.scratch) : nil
        let cpuset = try cgroups.readCPUSet(workspace.scratch)
        // A CPU that goes or comes changes the effective cpuset as well.
        let maxAge = visible.isMade(from: cpuset) ? host.shapeLifetime : host.window
        return try host.online.withText(now: host.now(), maxAge: maxAge) { online in
            visible.update(cpuset: cpuset, online: online.trimmed, quota: quota)
        }
    }

    func updateLedger(_ host: Host, _ workspace: Workspace) throws(SystemError) {
        restoreCounters(host)
        // When the host's CPUs are shown, the container's own ones have not changed.
        if host.passesThrough { return }
        try updateVisible(host, workspace)
        let time = try cgroups.readCPUTime(workspace.scratch) ?? CPUTime()
        workspace.visibleCPUTimes.removeAll(keepingCapacity: true)
        if try cgroups.readCPUTimePerCPU(workspace.scratch, into: &workspace.hostCPUTimes) {
            for cpu in visible.list.cpus where cpu < workspace.hostCPUTimes.count {
                workspace.visibleCPUTimes.append(workspace.hostCPUTimes[cpu])
            }
        }
        counters.ledger.number(by: visible.affinity)
        counters.ledger.update(
            CPULedger.Reading(age: workingAge, time: time, perCPU: workspace.visibleCPUTimes),
            visible: visible.list)
        saveCounters(host)
    }
}
