import Glibc
import KernelText
import Syscalls

/// A mountpoint that another FUSE daemon serves.
enum TakenMountpoint {
    /// Who serves it, and what to do.
    ///
    /// - Throws: what reading the table of mounts says.
    static func description(of mountPoint: String) throws(SystemError) -> String {
        let kind = try kind(of: mountPoint)
        let other = "or choose another mountpoint"
        guard kind == "fuse.lxcfs" else {
            return
                "\(mountPoint) is served by another filesystem (\(kind)): unmount that, \(other)"
        }
        // lxcfs has no such file.
        if access(mountPoint + "/proc/vmstat", F_OK) == 0 {
            return "\(mountPoint) is served by another lxcfsd: stop that, \(other)"
        }
        return
            "\(mountPoint) is served by lxcfs (\(kind)): systemctl disable --now lxcfs, \(other)"
    }

    /// The type of what is on top there, as /proc/self/mountinfo has it.
    private static func kind(of mountPoint: String) throws(SystemError) -> String {
        let text = try readFile("/proc/self/mountinfo")
        let point = Mountinfo.escaped(mountPoint)
        return text.withUnsafeBufferPointer { text in
            var kind = "FUSE"
            for mount in Mountinfo(text) where mount.point.elementsEqual(point) {
                kind = mount.filesystem.map { String(decoding: $0.type, as: UTF8.self) } ?? kind
            }
            return kind
        }
    }
}
