import Cgroups
import Glibc
import Syscalls

/// What a process reads at `/proc/meminfo`, told from its mounts.
///
/// Calls are answered like that file: busybox `free`, for one, subtracts numbers of the file
/// from numbers of sysinfo(2). A container that only has a seccomp profile sees the host at
/// both doors.
enum SeenMeminfo: Equatable {
    /// The kernel's own file, or somebody else's.
    case foreign
    /// The file in a container's directory.
    case container(id: String)
    /// The file that shows each caller its own container.
    case caller
}

/// The two FUSE connections as the kernel's mount tables name them.
struct TreeDevices: Equatable {
    /// `major:minor`.
    let containers: [UInt8]
    let callers: [UInt8]

    /// - Parameter mountinfo: our own `/proc/self/mountinfo`.
    /// - Returns: nil if the trees are not mounted.
    init?(mountPoint: String, mountinfo: Bytes) {
        let path = Self.escaped(mountPoint)
        let opens = Self.escaped(mountPoint + "/" + Registry.opensName)
        var containers: [UInt8]?
        var callers: [UInt8]?
        var lines = Scanner(mountinfo)
        // The last one covers those before.
        while let line = lines.line() {
            guard let mount = Mount(line) else { continue }
            if mount.point.elementsEqual(path) { containers = Array(mount.device) }
            if mount.point.elementsEqual(opens) { callers = Array(mount.device) }
        }
        guard let containers, let callers else { return nil }
        self.containers = containers
        self.callers = callers
    }

    /// - Parameter mountinfo: that of a process.
    func meminfo(in mountinfo: Bytes) -> SeenMeminfo {
        var seen = SeenMeminfo.foreign
        var lines = Scanner(mountinfo)
        while let line = lines.line() {
            guard let mount = Mount(line) else { continue }
            // A procfs that is mounted later covers what is mounted on the former.
            if mount.point.equals("/proc") || mount.point.equals("/") { seen = .foreign }
            if mount.point.equals("/proc/meminfo") { seen = file(mount) }
        }
        return seen
    }

    private func file(_ mount: Mount) -> SeenMeminfo {
        let names = mount.root.string.split(separator: "/")
        if mount.device.elementsEqual(callers), names.prefix(2) == ["proc", "meminfo"] {
            return .caller
        }
        if mount.device.elementsEqual(containers), names.count >= 3,
            names[1...2] == ["proc", "meminfo"]
        {
            return .container(id: String(names[0]))
        }
        return .foreign
    }

    /// A line of `/proc/<pid>/mountinfo` (proc_pid_mountinfo(5)).
    private struct Mount {
        let device: Bytes
        let root: Bytes
        let point: Bytes

        init?(_ line: Bytes) {
            var words = Scanner(line)
            guard words.word() != nil, words.word() != nil, let device = words.word(),
                let root = words.word(), let point = words.word()
            else { return nil }
            self.device = device
            self.root = root
            self.point = point
        }
    }

    /// The kernel writes white space and backslashes in paths as octal numbers.
    static func escaped(_ path: String) -> [UInt8] {
        path.utf8.flatMap { byte -> [UInt8] in
            switch byte {
            case 0x20: Array("\\040".utf8)
            case 0x09: Array("\\011".utf8)
            case 0x0A: Array("\\012".utf8)
            case 0x5C: Array("\\134".utf8)
            default: [byte]
            }
        }
    }
}

/// What the callers of one listener read at `/proc/meminfo`, remembered for a moment by mount
/// namespace.
///
/// Not for all listeners together: the number of a mount namespace is used again as soon as it
/// is gone, by the next container for instance.
struct SeenMeminfoCache {
    private var known: [NamespaceID: (seen: SeenMeminfo, time: UInt64)] = [:]

    /// Nanoseconds until mounts are looked at again.
    private static let lifetime: UInt64 = 100_000_000
    private static let countLimit = 64

    func seen(in namespace: NamespaceID, now: UInt64) -> SeenMeminfo? {
        guard let found = known[namespace], clampedDifference(now, found.time) < Self.lifetime
        else { return nil }
        return found.seen
    }

    mutating func add(_ seen: SeenMeminfo, in namespace: NamespaceID, now: UInt64) {
        if known.count >= Self.countLimit { known.removeAll() }
        known[namespace] = (seen, now)
    }
}

/// Finds out what callers read at `/proc/meminfo`.
final class SeenMeminfoLookup: Sendable {
    private let host: Host
    private let mountPoint: String
    private let lock = Lock()
    private nonisolated(unsafe) var knownDevices: TreeDevices?

    /// Bytes of a table of mounts; a container with a longer one keeps to the kernel.
    private static let sizeLimit = 1 << 20

    init(host: Host, mountPoint: String) {
        self.host = host
        self.mountPoint = mountPoint
    }

    /// The first worker starts before everything is mounted.
    private func devices() throws(SystemError) -> TreeDevices {
        try lock.withLock { () throws(SystemError) in
            if let knownDevices { return knownDevices }
            let own = try host.roots.proc.open(at: "self/mountinfo")
                .readToEnd(path: "/proc/self/mountinfo")
            knownDevices = own.withUnsafeBufferPointer {
                TreeDevices(mountPoint: mountPoint, mountinfo: $0)
            }
            guard let knownDevices else {
                throw SystemError("find the mounts at", mountPoint, errno: ENOENT)
            }
            return knownDevices
        }
    }

    /// - Throws: `ESRCH` or `ENOENT` when the thread is gone, `EFBIG` when it has too many
    ///   mounts.
    func seen(
        by tid: Int32, _ cache: inout SeenMeminfoCache
    ) throws(SystemError) -> SeenMeminfo {
        let namespace = try mountNamespace(of: tid, host.roots.proc)
        let now = host.now()
        if let seen = cache.seen(in: namespace, now: now) { return seen }
        let path = "\(tid)/mountinfo"
        let text = try host.roots.proc.open(at: path)
            .readToEnd(limit: Self.sizeLimit, path: "/proc/" + path)
        let devices = try devices()
        let seen = text.withUnsafeBufferPointer(devices.meminfo)
        cache.add(seen, in: namespace, now: now)
        return seen
    }
}
