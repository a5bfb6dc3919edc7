/// The files and directories that exist for every container.
///
/// The numbers are part of what the kernel remembers: they must not change between versions.
package enum FixedNode: UInt32, CaseIterable, Sendable {
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
    /// `/sys/devices/system/node`, and a `nodeN` in it; which, the node id says in the place of the
    /// CPU.
    case nodeDirectory = 10
    case singleNode = 11
    /// `/sys/dev`, and `block` in it, which has a directory for each ``BlockNode``.
    case devDirectory = 12
    case blockDirectory = 13

    case cpuinfo = 16
    case diskstats = 17
    case loadavg = 18
    case meminfo = 19
    case slabinfo = 20
    case stat = 21
    case swaps = 22
    case uptime = 23
    case vmstat = 24

    case pressureCPU = 32
    case pressureIO = 33
    case pressureMemory = 34

    case online = 48
    case present = 49
    case possible = 50
    case enabled = 51
    case offline = 52
    case isolated = 53

    case nodesWithCPUs = 64
    case nodesWithMemory = 65
    case nodesWithNormalMemory = 66

    case nodeCPUList = 72
    case nodeCPUMap = 73
    case nodeMeminfo = 74
    case nodeNUMAStat = 75
    case nodeVmstat = 76

    /// A link from the connection that knows opens to what of a container is in the other one.
    /// Which file or directory, the place of the CPU in the node id says.
    case link = 80

    package static let procFiles: [FixedNode] = [
        .cpuinfo, .diskstats, .loadavg, .meminfo, .slabinfo, .stat, .swaps, .uptime, .vmstat,
    ]
    package static let pressureFiles: [FixedNode] = [
        .pressureCPU, .pressureIO, .pressureMemory,
    ]
    package static let cpuFiles: [FixedNode] = [
        .online, .present, .possible, .enabled, .offline, .isolated,
    ]

    /// Those of `/sys/devices/system/node` that are other than the host's.
    package static let nodeLists: [FixedNode] = [
        .nodesWithCPUs, .nodesWithMemory, .nodesWithNormalMemory,
    ]
    /// Those of each `nodeN`.
    package static let nodeFiles: [FixedNode] = [
        .nodeCPUList, .nodeCPUMap, .nodeMeminfo, .nodeNUMAStat, .nodeVmstat,
    ]

    /// The name in its directory. Spelled out, for each lookup of a name compares them, and
    /// Swift finds out the name of a case slowly.
    package var name: String {
        switch self {
        case .top, .mountPoint, .singleCPU, .singleNode, .link: ""
        case .proc: "proc"
        case .sys: "sys"
        case .devices: "devices"
        case .system: "system"
        case .cpuDirectory: "cpu"
        case .nodeDirectory: "node"
        case .devDirectory: "dev"
        case .blockDirectory: "block"
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
        case .vmstat: "vmstat"
        case .online: "online"
        case .present: "present"
        case .possible: "possible"
        case .enabled: "enabled"
        case .offline: "offline"
        case .isolated: "isolated"
        case .nodesWithCPUs: "has_cpu"
        case .nodesWithMemory: "has_memory"
        case .nodesWithNormalMemory: "has_normal_memory"
        case .nodeCPUList: "cpulist"
        case .nodeCPUMap: "cpumap"
        case .nodeMeminfo: "meminfo"
        case .nodeNUMAStat: "numastat"
        case .nodeVmstat: "vmstat"
        }
    }

    package var isDirectory: Bool { rawValue < 16 }
}
