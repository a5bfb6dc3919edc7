import Glibc
import Syscalls

/// The file of the administrator's policy.
enum PolicyFile {
    /// Read if it is there, unless the command line names another one.
    static let usual = "/etc/lxcfs-hook/policy.json"

    /// Applies the policy to `options`.
    ///
    /// - Throws: if the file that is named cannot be read, is not root's alone, or makes no sense.
    ///   Then it is not known what users may undo, and the hook does nothing.
    /// - Returns: its path; nil if there is none.
    @discardableResult
    static func apply(to options: inout Options) throws(InputError) -> String? {
        let path = options.policyPath ?? usual
        let file: FileDescriptor
        do {
            file = try FileDescriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY)
        } catch {
            let isAbsent = error.errno == ENOENT || error.errno == ENOTDIR
            if options.policyPath == nil, isAbsent { return nil }
            throw InputError(description: "\(error); name another one with --policy")
        }
        let policy: AdministratorPolicy
        do {
            if let fault = try fault(of: file, path) { throw InputError(description: fault) }
            policy = try AdministratorPolicy(
                json: file.readToEnd(limit: AdministratorPolicy.sizeLimit, path: path))
        } catch {
            let reason = error is SystemError ? "\(error)" : "\(path): \(error)"
            throw InputError(description: reason)
        }
        if policy.required == true { options.isRequired = true }
        options.allowedAnnotations = policy.annotations
        return path
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
