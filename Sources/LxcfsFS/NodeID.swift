/// The number by which the kernel and the daemon call a served file or directory.
///
/// It says by itself what it names, so that a new daemon process that takes over a
/// connection understands the numbers that the kernel remembers:
///
///     63    52 51         28 27             0
///     | cpu    | file - 1   | slot           |
///
/// with the CPU mixed into the slot, times an odd number, plus one. The kernel finds a file by
/// a hash in which the upper bits count for nothing (`hash()` in fs/inode.c). Without the
/// multiplication the same file of all containers can have the same hash, and each request
/// searches all of them.
struct NodeID: Hashable, Sendable {
    let raw: UInt64

    init(raw: UInt64) { self.raw = raw }

    init(slot: UInt32, cpu: Int = 0, file: UInt32) {
        let cpu = UInt64(cpu & 0xfff)
        let file = UInt64(file &- 1 & 0xff_ffff)
        let low = UInt64(slot & Self.slotMask) ^ cpu << 16
        raw = (cpu << 52 | file << 28 | low) &* Self.factor &+ 1
    }

    private static let slotMask: UInt32 = 0xfff_ffff
    private static let factor: UInt64 = 0x9e37_79b9_7f4a_7c15
    /// `factor * inverse` is 1 in 64 bits.
    private static let inverse: UInt64 = 0xf1de_83e1_9937_733d

    private var packed: UInt64 { (raw &- 1) &* Self.inverse }

    /// Which container; 0 is the caller's own.
    var slot: UInt32 {
        UInt32(truncatingIfNeeded: packed ^ (packed >> 52) << 16) & Self.slotMask
    }
    /// The container's number of the CPU, for files below a `cpuN`.
    var cpu: Int { Int(packed >> 52) }
    /// A ``FixedNode`` or the number of a ``CPUCatalog`` entry.
    var file: UInt32 { UInt32(packed >> 28 & 0xff_ffff) &+ 1 }

    /// The same file of another CPU or container has the same key within its container.
    var keyInContainer: UInt64 { packed >> 28 }

    /// Whether a key in a container is that of one of ``FixedNode/procFiles``.
    static func isProcFile(_ key: UInt64) -> Bool {
        key &+ 1 >= FixedNode.cpuinfo.rawValue && key &+ 1 <= FixedNode.uptime.rawValue
    }

    /// Whether a key in a container is that of one of ``FixedNode/countingFiles``.
    static func isCounting(_ key: UInt64) -> Bool {
        guard isProcFile(key), let file = FixedNode(rawValue: UInt32(key &+ 1)) else {
            return false
        }
        return FixedNode.countingFiles.contains(file)
    }

    /// What programs are told (`st_ino`). In 32 bits as in procfs and sysfs: a 32-bit program
    /// that uses stat(2) as it was before large files gets EOVERFLOW for a longer one.
    var inode: UInt64 {
        max((raw >> 32) ^ (raw & 0xffff_ffff), 1)
    }

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
    /// Many of their numbers get more digits as time goes by.
    static let countingFiles: [FixedNode] = [.diskstats, .stat]
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
