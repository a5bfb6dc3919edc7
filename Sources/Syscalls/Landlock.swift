import CLinux
import Glibc

/// Rules that say what the calling thread, and what it starts, may still do with files
/// (landlock(7)). What no rule allows is forbidden: beside files, to look into processes that do
/// not have the same rules, to trace them, and, as far as the kernel knows that, signals to them.
public struct Landlock: ~Copyable {
    private let rules: FileDescriptor

    /// What is allowed at and below a directory.
    public enum Access: Sendable {
        /// Reading files and listing directories.
        case read
        /// Also making, changing, renaming and removing regular files.
        case keepFiles

        fileprivate var mask: UInt64 {
            let read = CLINUX_LANDLOCK_READ_FILE | CLINUX_LANDLOCK_READ_DIR
            switch self {
            case .read: return read
            case .keepFiles:
                return read | CLINUX_LANDLOCK_WRITE_FILE | CLINUX_LANDLOCK_REMOVE_FILE
                    | CLINUX_LANDLOCK_MAKE_REG | CLINUX_LANDLOCK_TRUNCATE
            }
        }
    }

    /// - Throws: `ENOSYS` or `EOPNOTSUPP` from a kernel without Landlock, or that was started
    ///   without it.
    public init() throws(SystemError) {
        rules = FileDescriptor(owning: try check(clinux_landlock_make(), "make", "rules"))
    }

    /// Allows something at and below an open directory, wherever it is mounted.
    public func allow(
        _ access: Access, below directory: borrowing FileDescriptor, path: String
    ) throws(SystemError) {
        _ = try check(
            clinux_landlock_allow(rules.raw, directory.raw, access.mask), "allow access to",
            path)
    }

    /// Puts the rules on the calling thread and what it starts, for ever. Needs
    /// ``Privileges/forbidNew()``.
    public func restrict() throws(SystemError) {
        _ = try check(clinux_landlock_restrict(rules.raw), "restrict the", "process")
    }
}
