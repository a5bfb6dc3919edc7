import CLinux
import Glibc
import OCISpec
import Syscalls

/// The config.json of a bundle.
///
/// A symbolic link is not followed: what is behind it may be another's, or that of many bundles.
struct BundleConfig: ~Copyable {
    /// As it is now.
    let content: [UInt8]
    private let bundle: FileDescriptor
    private let path: String
    private let owner: uid_t
    private let group: gid_t
    private let mode: mode_t
    private let inode: ino_t

    private static let name = "config.json"

    /// - Parameter bundle: relative to the working directory, if it is not absolute.
    init(bundle directory: String) throws {
        let path =
            directory.hasSuffix("/") ? directory + Self.name : "\(directory)/\(Self.name)"
        let bundle = try FileDescriptor.open(directory, O_PATH | O_DIRECTORY)
        let file: FileDescriptor
        do {
            file = try bundle.open(
                at: Self.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
        } catch {
            if error.errno == ELOOP {
                throw PrecreateError("\(path) is a symbolic link, which is not followed")
            }
            throw SystemError("open", path, errno: error.errno)
        }
        let status = try file.status(path: path)
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw PrecreateError("\(path) is not a regular file")
        }
        guard status.st_size <= Config.sizeLimit else {
            throw PrecreateError("\(path) has more than \(Config.sizeLimit) bytes")
        }
        content = try file.readToEnd(limit: Config.sizeLimit, path: path)
        self.bundle = bundle
        self.path = path
        (owner, group) = (status.st_uid, status.st_gid)
        mode = status.st_mode & 0o7777
        inode = status.st_ino
    }

    /// Puts a file of the same owner and mode in its place, all at once.
    func replace(with new: [UInt8]) throws {
        let temporary =
            ".config.json.lxcfs-" + String(UInt64.random(in: .min ... .max), radix: 36)
        let shown = String(path.dropLast(Self.name.count)) + temporary
        let file = try named(shown) { () throws(SystemError) in
            try bundle.open(
                at: temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        }
        // Lives until the program ends or becomes another.
        let kept = strdup(temporary)
        clinux_guard_remove(bundle.raw, kept)
        do {
            try file.write(new, path: shown)
            if geteuid() != owner || getegid() != group {
                try attempt("give to its owner", shown, fchown(file.raw, owner, group))
            }
            try attempt("set the mode of", shown, fchmod(file.raw, mode))
            // Whoever has put another one there meanwhile is to have that.
            var now = stat()
            try attempt(
                "look at", path, fstatat(bundle.raw, Self.name, &now, AT_SYMLINK_NOFOLLOW))
            guard now.st_ino == inode else {
                throw PrecreateError("\(path) has been replaced meanwhile")
            }
            try attempt(
                "replace", path, renameat(bundle.raw, temporary, bundle.raw, Self.name))
            clinux_guard_remove(-1, nil)
        } catch {
            clinux_guard_remove(-1, nil)
            unlinkat(bundle.raw, temporary, 0)
            throw error
        }
    }

    private func named<Value: ~Copyable>(
        _ shown: String, _ call: () throws(SystemError) -> Value
    ) throws(SystemError) -> Value {
        do {
            return try call()
        } catch {
            throw SystemError("make", shown, errno: error.errno)
        }
    }

    private func attempt(
        _ operation: String, _ path: String, _ result: CInt
    ) throws(SystemError) {
        if result != 0 { throw SystemError(operation, path, errno: errno) }
    }
}
