import Glibc
import Syscalls

/// A file that others read while it is written anew.
enum ReplacedFile {
    /// Writes a file of its own beside it, which then takes its name (rename(2)): readers find the old
    /// text or the new one. Everybody may read it.
    ///
    /// - Throws: `SystemError`; nothing stays behind then.
    static func write(_ text: String, to path: String) throws(SystemError) {
        var info = stat()
        if lstat(path, &info) == 0, info.st_mode & S_IFMT != S_IFREG {
            // /dev/stdout is not to become a file.
            throw SystemError("replace, as it is no regular file,", path, errno: EINVAL)
        }
        // node_exporter reads what ends in .prom; in the same directory, for it has to be the same
        // filesystem.
        let temporary = "\(path).\(getpid())~"
        unlink(temporary)
        do throws(SystemError) {
            let file = try FileDescriptor.open(
                temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o644)
            // Whatever umask says.
            guard fchmod(file.raw, 0o644) == 0 else {
                throw SystemError("change the mode of", temporary, errno: errno)
            }
            try file.write(Array(text.utf8), path: temporary)
            guard rename(temporary, path) == 0 else {
                throw SystemError("write", path, errno: errno)
            }
        } catch {
            unlink(temporary)
            throw error
        }
    }
}
