import Glibc
import Syscalls

/// The host's own /proc and /sys, in instances of their own.
///
/// Nothing can be mounted over a file of an instance that is mounted nowhere. So the daemon
/// never reads its own files, also when it runs in a container that has them.
public struct HostRoots: ~Copyable {
    public let proc: FileDescriptor
    public let sys: FileDescriptor

    public init(proc: consuming FileDescriptor, sys: consuming FileDescriptor) {
        self.proc = proc
        self.sys = sys
    }

    /// Makes new instances; where that is not allowed (a container that hides parts of its
    /// own /proc), takes the mounted ones if they are what they should be.
    public static func open() throws(SystemError) -> HostRoots {
        HostRoots(
            proc: try open("proc", mountedAt: "/proc", .procfs),
            sys: try open("sysfs", mountedAt: "/sys", .sysfs))
    }

    private static func open(
        _ type: String, mountedAt path: String, _ kind: FilesystemKind
    ) throws(SystemError) -> FileDescriptor {
        do {
            return try detachedMount(of: type, [.noSetuid, .noDevices, .noExec])
        } catch {
            guard error.errno == EPERM || error.errno == EBUSY || error.errno == ENOSYS else {
                throw error
            }
        }
        let mounted = try FileDescriptor.open(path, O_PATH | O_DIRECTORY)
        guard try FilesystemKind.of(mounted, path: path) == kind else {
            throw SystemError("use as \(kind)", path, errno: EINVAL)
        }
        return mounted
    }
}
