import Glibc
import KernelText
import LxcfsHandover
import Syscalls

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
