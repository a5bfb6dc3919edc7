import Glibc
import Syscalls

/// A file that only root can have written.
enum TrustedFile {
    /// The whole of it.
    ///
    /// - Returns: nil if there is none.
    /// - Throws: `SystemError`; `InputError` that says what to do if it is not root's alone.
    static func read(_ path: String, limit: Int) throws -> [UInt8]? {
        let file: FileDescriptor
        do {
            file = try FileDescriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY)
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return nil }
            throw error
        }
        if let fault = try fault(of: file, path) {
            throw InputError(description: "\(path): \(fault)")
        }
        return try file.readToEnd(limit: limit, path: path)
    }

    /// Who may write it decides for all containers.
    private static func fault(
        of file: borrowing FileDescriptor, _ path: String
    ) throws(SystemError) -> String? {
        let status = try file.status(path: path)
        if status.st_mode & S_IFMT != S_IFREG { return "it is not a file" }
        if status.st_uid != 0 { return "it is not root's: chown root it" }
        if status.st_mode & 0o022 != 0 { return "others than root can write it: chmod go-w it" }
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        let directory = parent.isEmpty ? "/" : parent
        let holder = try FileDescriptor.open(directory, O_PATH | O_DIRECTORY)
            .status(path: directory)
        if holder.st_uid != 0 || holder.st_mode & 0o022 != 0 {
            return "others than root can replace it: chown root and chmod go-w \(directory)"
        }
        return nil
    }
}
