import Glibc
import Syscalls

/// The program of this process, from which workers are started.
///
/// A worker that has died is replaced by one of the same version, also when the file has been
/// replaced or removed; only an upgrade takes the file that is now there.
final class ProgramFile {
    final class Version {
        let file: FileDescriptor
        init(_ file: consuming FileDescriptor) { self.file = file }
    }

    /// Where the program was started from.
    let path: String
    var current: Version

    init() throws(SystemError) {
        let link = "/proc/self/exe"
        let target = try FileDescriptor.open("/proc/self", O_PATH).readLink(at: "exe")
        // What the kernel appends when the file has been removed or replaced.
        let mark = " (deleted)"
        path = target.hasSuffix(mark) ? String(target.dropLast(mark.count)) : target
        current = Version(try FileDescriptor.open(link, O_PATH))
    }

    /// The version that is now on disk.
    func onDisk() throws(SystemError) -> Version {
        Version(try FileDescriptor.open(path, O_PATH))
    }

    /// Whether this process itself runs what is now on disk.
    var isOnDisk: Bool {
        var own = stat()
        var there = stat()
        return stat("/proc/self/exe", &own) == 0 && stat(path, &there) == 0
            && own.st_dev == there.st_dev && own.st_ino == there.st_ino
    }
}
