import CLinux

/// The kind of a filesystem, by the magic number that statfs(2) reports.
public struct FilesystemKind: Equatable, Sendable, CustomStringConvertible {
    public let magic: Int64

    public init(magic: Int64) { self.magic = magic }

    public static let procfs = FilesystemKind(magic: CLINUX_PROC_SUPER_MAGIC)
    public static let sysfs = FilesystemKind(magic: CLINUX_SYSFS_MAGIC)
    public static let fuse = FilesystemKind(magic: CLINUX_FUSE_SUPER_MAGIC)
    public static let cgroup1 = FilesystemKind(magic: CLINUX_CGROUP_SUPER_MAGIC)
    public static let cgroup2 = FilesystemKind(magic: CLINUX_CGROUP2_SUPER_MAGIC)

    public var description: String {
        switch self {
        case .procfs: "procfs"
        case .sysfs: "sysfs"
        case .fuse: "FUSE"
        case .cgroup1: "cgroup v1"
        case .cgroup2: "cgroup v2"
        default: "filesystem type 0x\(String(magic, radix: 16))"
        }
    }

    /// fstatfs(2).
    public static func of(_ descriptor: borrowing FileDescriptor, path: String? = nil)
        throws(SystemError) -> FilesystemKind
    {
        let magic = clinux_filesystem_magic(descriptor.raw)
        return FilesystemKind(magic: try check(magic, "find the filesystem of", path))
    }

    /// statfs(2).
    public static func of(path: String) throws(SystemError) -> FilesystemKind {
        let magic = clinux_filesystem_magic_at(path)
        return FilesystemKind(magic: try check(magic, "find the filesystem of", path))
    }
}
