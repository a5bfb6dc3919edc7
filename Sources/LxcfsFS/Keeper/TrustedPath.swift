import Glibc
import LxcfsHandover
import Syscalls

/// Sees to it that nobody but root decides what a path leads to.
///
/// Whoever owns a directory on the way, or may write to it, can put something else in the place of
/// what comes after it: sockets that hooks talk to, state from which a worker starts, counters.
enum TrustedPath {
    /// As path_resolution(7).
    private static let mostLinks = 40

    /// Looks at every directory and every link on the way from the root directory. A part that is
    /// missing ends the way.
    ///
    /// - Parameters:
    ///   - path: absolute, or relative to the working directory.
    ///   - whole: what is at the end counts, too. Not for a mountpoint: what is mounted there may
    ///     wait for an answer of ours.
    /// - Throws: `DaemonError` that names what is wrong and what to do; `SystemError`.
    static func check(_ path: String, whole: Bool) throws {
        var place = path.hasPrefix("/") ? "/" : try resolvePath(".")
        if place != "/" { try check(place, whole: true) }
        var directory = try FileDescriptor.open(place, O_PATH | O_DIRECTORY)
        if place == "/" {
            try examine(directory.status(path: place), place, on: path, isParent: true)
        }
        var rest = parts(path)
        var links = 0
        while !rest.isEmpty {
            let name = rest.removeFirst()
            let isLast = rest.isEmpty
            if isLast, !whole { return }
            let next: FileDescriptor
            do {
                next = try directory.open(at: name, O_PATH | O_NOFOLLOW)
            } catch {
                if error.errno == ENOENT { return }
                throw SystemError("look at", path, errno: error.errno)
            }
            let shown = place == "/" ? place + name : place + "/" + name
            let info = try next.status(path: shown)
            try examine(info, shown, on: path, isParent: !isLast)
            guard info.st_mode & S_IFMT == S_IFLNK else {
                directory = next
                place = shown
                continue
            }
            links += 1
            guard links <= mostLinks else {
                throw SystemError("look at", path, errno: ELOOP)
            }
            let target = try directory.readLink(at: name)
            rest = parts(target) + rest
            if target.hasPrefix("/") {
                directory = try FileDescriptor.open("/", O_PATH | O_DIRECTORY)
                place = "/"
            }
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

    private static func parts(_ path: String) -> [String] {
        path.split(separator: "/").map(String.init).filter { $0 != "." }
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
        // Of a link, only who may replace it counts: that is up to its directory.
        if info.st_mode & S_IFMT == S_IFLNK { return }
        // In a sticky directory (/tmp) nobody can move what is root's.
        let isSticky = info.st_mode & S_IFMT == S_IFDIR && info.st_mode & S_ISVTX != 0
        if info.st_mode & 0o022 == 0 || (isParent && isSticky) { return }
        throw DaemonError(
            "\(way) may be written by others than root (mode "
                + "\(String(info.st_mode & 0o7777, radix: 8))), who could change what the daemon "
                + "relies on; take that away (chmod go-w), or take another path")
    }
}
