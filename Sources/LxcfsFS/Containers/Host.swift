import Cgroups
import Glibc
import KernelText
import LxcfsHandover
import ProcView
import Syscalls

/// What the daemon knows of the host: its files, kept open, and its cgroup hierarchies.
final class Host: @unchecked Sendable {
    let roots: HostRoots
    let tree: CgroupTree
    let catalog: CPUCatalog
    let nodes: NodeCatalog
    let memoryNodes = HostNodes()
    /// How old what is read of the host may be, in nanoseconds.
    let window: UInt64
    /// The same for files of which only the shape is shown (which lines and columns there
    /// are), with `btime` and the clock rates of cpuinfo. Making them costs the kernel much,
    /// the more the larger the machine is.
    var shapeLifetime: UInt64 { window == 0 ? 0 : max(window, 1_000_000_000) }
    let sharedCpuinfo = SharedText()
    let sharedSlabinfo = SharedText()

    let meminfo: HostMeminfo
    let stat: HostFile
    let cpuinfo: HostFile
    let diskstats: HostFile
    let loadavg: HostFile
    let swaps: HostFile
    let uptime: HostFile
    let vmstat: HostFile
    /// nil where the kernel has no such file.
    let slabinfo: HostFile?
    let online: HostFile

    private let memory: HandoverMemory
    /// What is kept of containers for the next worker.
    let records: CounterRecords
    let pageSize: UInt64
    /// The size of a transparent huge page, in bytes.
    let transparentHugePageSize: UInt64

    init(
        roots: consuming HostRoots, window: UInt64, memory: HandoverMemory,
        records: CounterRecords
    ) throws(SystemError) {
        self.window = window
        pageSize = UInt64(max(sysconf(CInt(_SC_PAGESIZE)), 1))
        transparentHugePageSize = Self.transparentHugePageSize(sys: roots.sys)
        self.memory = memory
        self.records = records
        meminfo = try HostMeminfo(in: roots.proc, window: window)
        stat = try HostFile("stat", in: roots.proc, single: true)
        cpuinfo = try HostFile("cpuinfo", in: roots.proc)
        diskstats = try HostFile("diskstats", in: roots.proc)
        loadavg = try HostFile("loadavg", in: roots.proc, single: true)
        swaps = try HostFile("swaps", in: roots.proc)
        uptime = try HostFile("uptime", in: roots.proc, single: true)
        vmstat = try HostFile("vmstat", in: roots.proc)
        do {
            slabinfo = try HostFile("slabinfo", in: roots.proc)
        } catch {
            guard error.errno == ENOENT || error.errno == EACCES || error.errno == EPERM else {
                throw error
            }
            slabinfo = nil
        }
        online = try HostFile("devices/system/cpu/online", in: roots.sys, single: true)
        let cpus = try CPUCatalog(sys: roots.sys)
        catalog = cpus
        nodes = try NodeCatalog(sys: roots.sys) { cpus.entries[$0] != nil }

        let hugePage = try meminfo.with(now: 0) { _, facts in
            hugePageLabel(facts.hugePageSize)
        }
        let mountinfo = try roots.proc.open(at: "self/mountinfo")
            .readToEnd(path: "/proc/self/mountinfo")
        tree = CgroupTree(
            mounts: mountinfo.withUnsafeBufferPointer(CgroupMounts.init(mountinfo:)),
            hugePage: hugePage)
        self.roots = roots
    }

    /// Of a kernel without them, what most have: nothing is counted in them there.
    private static func transparentHugePageSize(sys: borrowing FileDescriptor) -> UInt64 {
        let path = "kernel/mm/transparent_hugepage/hpage_pmd_size"
        let text = try? sys.open(at: path).readToEnd(path: path)
        let size = text.flatMap { $0.withUnsafeBufferPointer { parseNumber($0.trimmed) } }
        return max(size ?? 0, 1) == 1 ? 2 << 20 : size ?? 0
    }

    /// Containers are shown the host (SIGUSR2).
    var passesThrough: Bool { memory.passesThrough }

    /// Where the connection of the containers is mounted.
    func tree(_ options: DaemonOptions) -> String {
        memory.hasCallersOnTop ? options.directory.tree : options.mountPoint
    }

    func now() -> UInt64 { Clock.monotonic() }

    /// Tries again when there were no descriptors left, without those that are only kept open
    /// to be quick.
    func withDescriptors<Result>(
        _ body: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        do {
            return try body()
        } catch {
            guard error.isOutOfDescriptors else { throw error }
            tree.closeFiles()
            return try body()
        }
    }
}

/// A huge page size as the file names of the hugetlb controller write it.
func hugePageLabel(_ bytes: UInt64) -> String {
    if bytes >= 1 << 30 { return "\(bytes >> 30)GB" }
    if bytes >= 1 << 20 { return "\(bytes >> 20)MB" }
    return "\(max(bytes, 1024) >> 10)KB"
}
