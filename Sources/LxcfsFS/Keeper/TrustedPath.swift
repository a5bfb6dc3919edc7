import Glibc
import LxcfsHandover
import Syscalls

/// Sees to it that nobody but root decides what a path leads to.
///
/// Whoever owns a directory on the way, or may write to it, can put something else in the place of
/// what comes after it: sockets that hooks talk to, state from which a worker starts, counters.
enum TrustedPath {
    /// Looks at every directory and every link on the way from the root directory. A part that is
    /// missing ends the way.
    ///
    /// - Parameters:
    ///   - path: absolute, or relative to the working directory.
    ///   - whole: what is at the end counts, too. Not for a mountpoint: what is mounted there may
    ///     wait for an answer of ours.
    /// - Throws: `DaemonError` that names what is wrong and what to do; `SystemError`.
    static func check(_ path: String, whole: Bool) throws {
        try walkPath(path, whole: whole) { info, shown, isParent in
            try examine(info, shown, on: path, isParent: isParent)
        }
    }

    /// What is in the runtime directory and is to be looked at: it may be from a time when others
    /// could write there. Of the state files, only those that are not as they should be.
    static func contents(of directory: RuntimeDirectory) throws(SystemError) -> [String] {
        let states = try FileDescriptor.open(directory.containers, O_RDONLY | O_DIRECTORY)
        var found: [String] = []
        for item in try states.list() {
            let info = try states.status(at: item.name)
            if info.st_uid != geteuid() || info.st_mode & 0o022 != 0 {
                found.append(directory.containers + "/" + item.name)
            }
        }
        return [
            directory.controlSocket, directory.seccompSocket, directory.counters,
            directory.storedDescriptors, directory.containers,
        ] + found
    }

    private static func examine(
        _ info: stat, _ shown: String, on path: String, isParent: Bool
    ) throws {
        let way = shown == path ? shown : "\(shown), on the way to \(path),"
        guard info.st_uid == 0 || info.st_uid == geteuid() else {
            throw DaemonError(
                "\(way) belongs to user \(info.st_uid), who could change what the daemon relies "
                    + "on; give it to root, or take another path")
        }
        if !mayBeReplaced(info, isParent: isParent) { return }
        throw DaemonError(
            "\(way) may be written by others than root (mode "
                + "\(String(info.st_mode & 0o7777, radix: 8))), who could change what the daemon "
                + "relies on; take that away (chmod go-w), or take another path")
    }
}
