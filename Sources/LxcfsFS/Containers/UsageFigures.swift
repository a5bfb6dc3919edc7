import Cgroups
import ProcView

/// What a container uses; nil is what cannot be found out.
struct UsageFigures {
    struct Pressure {
        let kind: PressureKind
        /// In per cent: `some avg10`.
        let some: Double
    }

    /// When the CPU time was read, on the monotonic clock.
    var readAt: UInt64 = 0
    /// In nanoseconds.
    var cpuTime: UInt64?
    var cpus: Int?
    /// In CPUs; nil without a quota, too.
    var cpuQuota: Double?
    var memory: MemoryView?
    var tasks: UInt64?
    var load: LoadAverage?
    var pressure: [Pressure] = []
}
