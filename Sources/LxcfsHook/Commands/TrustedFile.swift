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

    /// Whether a file that could not be read is as good as none: a user's own program is bound by
    /// nothing that only root may read.
    static func bindsNobody(_ error: any Error) -> Bool {
        guard let error = error as? SystemError, error.errno == EACCES else { return false }
        return geteuid() != 0 || owners.count > 1
    }

    /// Who may write it, or put another one in its place, decides for all containers.
    private static func fault(
        of file: borrowing FileDescriptor, _ path: String
    ) throws -> String? {
        let owners = owners
        let status = try file.status(path: path)
        if status.st_mode & S_IFMT != S_IFREG { return "it is not a file" }
        if !owners.contains(status.st_uid) { return "it is not root's: chown root it" }
        if mayBeReplaced(status, isParent: false) {
            return "others than root can write it: chmod go-w it"
        }
        var fault: String?
        try walkPath(path, whole: false) { info, place, isParent in
            if owners.contains(info.st_uid), !mayBeReplaced(info, isParent: isParent) { return }
            fault =
                fault ?? "others than root can replace it: chown root and chmod go-w \(place)"
        }
        return fault
    }

    /// The host's root. In a user namespace that it has no number in (rootless podman), files of it
    /// belong to nobody: whoever runs the hook there cannot be kept from anything, but the policy is
    /// not to keep containers from starting.
    private static var owners: [uid_t] {
        let map = (try? readFile("/proc/self/uid_map", limit: 1 << 16)) ?? []
        let words = map.split(whereSeparator: { $0 == 0x20 || $0 == 0x0A }).map {
            String(decoding: $0, as: UTF8.self)
        }
        if words.isEmpty || (words.count == 3 && words[0] == "0" && words[1] == "0") {
            return [0]
        }
        let overflow = (try? readFile("/proc/sys/kernel/overflowuid", limit: 64)).flatMap {
            uid_t(String(decoding: $0.filter { $0 != 0x0A }, as: UTF8.self))
        }
        return [0, overflow ?? 65534]
    }
}
