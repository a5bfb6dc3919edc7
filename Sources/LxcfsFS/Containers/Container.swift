import Cgroups
import Control
import KernelText
import LxcfsPageCache
import ProcView
import Syscalls

/// A container as the daemon serves it.
final class Container: @unchecked Sendable {
    /// The name of its directory; empty for a container that is only known by its callers.
    let id: String
    /// Its number in node ids; 0 if it has no tree of its own.
    let slot: UInt32
    /// The process that it was found by, usually its init.
    let pid: Int32
    /// When that process started, in nanoseconds since boot.
    let startTime: UInt64
    /// How long the machine had been suspended then, in nanoseconds; if that is not known,
    /// when the container was first seen.
    let suspendedBefore: UInt64
    /// What its time namespace adds to our clock since boot, in nanoseconds; nil if it is in ours.
    let bootOffset: Int64?
    let cpuView: CPUView
    let cgroups: ContainerCgroups
    let showSwap: Bool
    /// Tells containers apart, also across workers.
    let identity: UInt64
    /// Samples the load averages once a program has read them, and looks at many threads.
    let watcher: (any LoadWatcher)?
    /// What is known of its threads. Never held while anything is waited for, so that who looks
    /// at them does not wait for those who read files.
    let threads = Guarded(ThreadFigures())

    /// Guards what follows: one thread at a time gathers facts of a container.
    let lock = Lock()
    var visible = VisibleCPUs()
    var counters = KeptCounters()
    /// As it is shown.
    var tasks = TaskCounts()
    /// nil until `/proc/meminfo` or sysinfo(2) is asked for the first time.
    var shown: ShownMemory?
    /// What an earlier worker has left has been looked for.
    var isRestored = false

    /// As they were found last, for lists.
    let lastSizes = Guarded(ShownSizes())
    let lastFigures = Guarded(UsageFigures())

    /// What the kernel may have of its files in the page cache.
    let cached = CachedFiles()
    /// How many threads work for it.
    let gate: RequestGate

    init(
        id: String, slot: UInt32, pid: Int32, startTime: UInt64, cpuView: CPUView,
        showSwap: Bool, cgroups: ContainerCgroups, watcher: (any LoadWatcher)?,
        suspendedBefore: UInt64 = Clock.suspended(), bootOffset: Int64? = nil
    ) {
        self.bootOffset = bootOffset
        self.id = id
        self.slot = slot
        self.pid = pid
        self.startTime = startTime
        self.suspendedBefore = suspendedBefore
        self.cpuView = cpuView
        self.showSwap = showSwap
        self.cgroups = cgroups
        self.watcher = watcher
        gate = RequestGates.gate(ofCgroup: cgroups.paths.display)
        var hash = FNV1a()
        hash.add("\(slot) \(pid) \(startTime) \(cgroups.paths.display)".utf8)
        identity = hash.value
    }

    /// Nanoseconds since it started.
    var age: UInt64 { clampedDifference(Clock.boottime(), startTime) }

    /// Nanoseconds of `/proc/uptime`: what the kernel says in its time namespace, if that is
    /// its own, for the ticks in its `/proc/<pid>/stat` count from there; else its age.
    var uptime: UInt64 {
        guard let bootOffset else { return age }
        let (sum, _) = Clock.boottime().addingReportingOverflow(
            UInt64(bitPattern: bootOffset))
        // The kernel takes no offset that makes its clock negative.
        return Int64(bitPattern: sum) < 0 ? 0 : sum
    }

    /// `btime` of `/proc/stat`; nil if it is the host's.
    var bootTime: BootTime? {
        bootOffset.map {
            BootTime(offset: $0, realtime: Clock.realtime(), boottime: Clock.boottime())
        }
    }

    /// Nanoseconds that its CPUs could have worked since then: suspended, they are not idle
    /// for the kernel either.
    var workingAge: UInt64 {
        clampedDifference(age, clampedDifference(Clock.suspended(), suspendedBefore))
    }

    /// Notes that the load has been read.
    func noteLoadRead(now: UInt64) {
        let isNew = threads.withLock { threads in
            threads.loadReadAt = now
            defer { threads.isWatched = true }
            return !threads.isWatched
        }
        if isNew { watcher?.watch(self) }
    }

    /// Whether it is not a container at all but the host.
    var isHost: Bool { slot == 0 && cgroups.isRoot }
}

/// Does in the background what may take long.
protocol LoadWatcher: AnyObject, Sendable {
    /// Samples the load averages of a container whose `/proc/loadavg` is read.
    func watch(_ container: Container)
    /// Looks at the threads of a container that has too many to do so while a reader waits.
    func look(at container: Container)
}
