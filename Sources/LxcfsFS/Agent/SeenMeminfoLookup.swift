import Glibc
import LxcfsHandover
import Syscalls

/// Finds out what callers read at `/proc/meminfo`.
final class SeenMeminfoLookup: Sendable {
    private let host: Host
    private let options: DaemonOptions
    /// nil as long as nobody has asked: the first worker starts before everything is mounted.
    private let knownDevices = Guarded<TreeDevices?>(nil)

    /// Bytes of a table of mounts; a container with a longer one keeps to the kernel.
    private static let sizeLimit = 1 << 20

    init(host: Host, _ options: DaemonOptions) {
        self.host = host
        self.options = options
    }

    private func devices() throws(SystemError) -> TreeDevices {
        try knownDevices.withLock { known throws(SystemError) in
            if let known { return known }
            let own = try host.roots.proc.open(at: "self/mountinfo")
                .readToEnd(path: "/proc/self/mountinfo")
            let found = own.withUnsafeBufferPointer {
                TreeDevices(
                    mountPoint: options.mountPoint, tree: options.directory.tree, mountinfo: $0)
            }
            guard let found else {
                throw SystemError("find the mounts at", options.mountPoint, errno: ENOENT)
            }
            known = found
            return found
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
