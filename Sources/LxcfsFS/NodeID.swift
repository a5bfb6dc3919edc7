/// The inode number of a served file or directory.
///
/// It says by itself what it names, so that a new daemon process that takes over a
/// connection understands the numbers that the kernel remembers.
///
///     63          36 35    24 23             0
///     | slot        | cpu    | file           |
struct NodeID: Hashable, Sendable {
    let raw: UInt64

    init(raw: UInt64) { self.raw = raw }

    init(slot: UInt32, cpu: Int = 0, file: UInt32) {
        raw = UInt64(slot) << 36 | UInt64(cpu & 0xfff) << 24 | UInt64(file & 0xff_ffff)
    }

    /// Which container; 0 is the caller's own.
    var slot: UInt32 { UInt32(truncatingIfNeeded: raw >> 36) }
    /// The container's number of the CPU, for files below a `cpuN`.
    var cpu: Int { Int(raw >> 24 & 0xfff) }
    /// A ``FixedNode`` or the number of a ``CPUCatalog`` entry.
    var file: UInt32 { UInt32(raw & 0xff_ffff) }

    /// The same file of another CPU or container has the same key within its container.
    var keyInContainer: UInt64 { raw & 0xf_ffff_ffff }

    static let highestSlot: UInt32 = 1 << 28 - 1
}

/// The files and directories that exist for every container.
///
/// The numbers are part of what the kernel remembers: they must not change between versions.
enum FixedNode: UInt32, CaseIterable, Sendable {
    /// The root of a connection (slot 0; FUSE demands number 1), or of a container.
    case top = 1
    case proc = 2
    case sys = 3
    case devices = 4
    case system = 5
    case cpuDirectory = 6
    case pressureDirectory = 7
    /// An empty directory of the container connection on which another tree is mounted.
    case mountPoint = 8
    /// `cpuN`; which, the node id says.
    case singleCPU = 9

    case cpuinfo = 16
    case diskstats = 17
    case loadavg = 18
    case meminfo = 19
    case slabinfo = 20
    case stat = 21
    case swaps = 22
    case uptime = 23

    case pressureCPU = 32
    case pressureIO = 33
    case pressureMemory = 34

    case online = 48
    case present = 49
    case possible = 50
    case enabled = 51
    case offline = 52
    case isolated = 53

    static let procFiles: [FixedNode] = [
        .cpuinfo, .diskstats, .loadavg, .meminfo, .slabinfo, .stat, .swaps, .uptime,
    ]
    static let pressureFiles: [FixedNode] = [.pressureCPU, .pressureIO, .pressureMemory]
    static let cpuFiles: [FixedNode] = [
        .online, .present, .possible, .enabled, .offline, .isolated,
    ]

    /// The name in its directory. Spelled out, for each lookup of a name compares them, and
    /// Swift finds out the name of a case slowly.
    var name: String {
        switch self {
        case .top, .mountPoint, .singleCPU: ""
        case .proc: "proc"
        case .sys: "sys"
        case .devices: "devices"
        case .system: "system"
        case .cpuDirectory: "cpu"
        case .pressureDirectory: "pressure"
        case .pressureCPU: "cpu"
        case .pressureIO: "io"
        case .pressureMemory: "memory"
        case .cpuinfo: "cpuinfo"
        case .diskstats: "diskstats"
        case .loadavg: "loadavg"
        case .meminfo: "meminfo"
        case .slabinfo: "slabinfo"
        case .stat: "stat"
        case .swaps: "swaps"
        case .uptime: "uptime"
        case .online: "online"
        case .present: "present"
        case .possible: "possible"
        case .enabled: "enabled"
        case .offline: "offline"
        case .isolated: "isolated"
        }
    }

    var isDirectory: Bool { rawValue < 16 }
}
