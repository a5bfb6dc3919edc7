import Cgroups
import KernelText
import ProcView
import Syscalls

/// The facts behind the calls that the agent answers.
extension Container {
    /// - Throws: as ``render(_:_:_:)``.
    func sysinfo(_ host: Host, _ workspace: Workspace) throws(SystemError) -> Sysinfo {
        lock.lock()
        defer { lock.unlock() }
        let view = try shownMemory(host, workspace)
        let load = try currentLoad(host, workspace)
        return Sysinfo(view, uptime: uptime, load: load, threads: tasks.total)
    }

    /// The number of CPUs that `/proc/cpuinfo` shows.
    func visibleCPUCount(_ host: Host, _ workspace: Workspace) throws(SystemError) -> Int {
        lock.lock()
        defer { lock.unlock() }
        try updateVisible(host, workspace)
        return visible.list.count
    }

    /// How much of the directory of this CPU there is.
    func extent(
        ofCPU cpu: Int, _ host: Host, _ workspace: Workspace
    ) throws(SystemError) -> CPUTopology.Extent {
        lock.lock()
        defer { lock.unlock() }
        try updateVisible(host, workspace)
        return visible.extent(of: cpu)
    }

    /// As long as the page cache may show a `/proc/meminfo`, the numbers are those of that
    /// file: busybox `free` subtracts the one from the other.
    private func shownMemory(_ host: Host, _ workspace: Workspace) throws(SystemError)
        -> MemoryView
    {
        let now = host.now()
        if let shown, clampedDifference(now, shown.time) < host.window { return shown.view }
        let view = try memoryView(try readMemory(host, workspace), host)
        shown = ShownMemory(view: view, time: now)
        return view
    }
}
