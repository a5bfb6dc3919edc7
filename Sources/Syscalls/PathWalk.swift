import Glibc

/// As path_resolution(7).
private let mostLinks = 40

/// Goes the way of a path from the root directory, through all links, without being led elsewhere
/// between two looks. A part that is missing ends the way.
///
/// - Parameters:
///   - path: absolute, or relative to the working directory.
///   - whole: what is at the end is visited, too.
///   - visit: gets what each directory and link is, its name, and whether the way goes on below it.
/// - Throws: `SystemError`; what `visit` throws.
public func walkPath(
    _ path: String, whole: Bool, _ visit: (stat, String, _ isParent: Bool) throws -> Void
) throws {
    var place = path.hasPrefix("/") ? "/" : try resolvePath(".")
    if place != "/" {
        try walkPath(place, whole: true) { info, shown, _ in try visit(info, shown, true) }
    }
    var directory = try FileDescriptor.open(place, O_PATH | O_DIRECTORY)
    if place == "/" { try visit(directory.status(path: place), place, true) }
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
        try visit(info, shown, !isLast)
        guard info.st_mode & S_IFMT == S_IFLNK else {
            directory = next
            place = shown
            continue
        }
        links += 1
        guard links <= mostLinks else { throw SystemError("look at", path, errno: ELOOP) }
        let target = try directory.readLink(at: name)
        rest = parts(target) + rest
        if target.hasPrefix("/") {
            directory = try FileDescriptor.open("/", O_PATH | O_DIRECTORY)
            place = "/"
        }
    }
}

private func parts(_ path: String) -> [String] {
    path.split(separator: "/").map(String.init).filter { $0 != "." }
}

/// Whether others than its owner may write to a file, or put something else in the place of what is
/// in a directory.
///
/// - Parameter isParent: the directory has something in it that is its owner's.
public func mayBeReplaced(_ info: stat, isParent: Bool) -> Bool {
    // Of a link, only who may replace it counts: that is up to its directory.
    if info.st_mode & S_IFMT == S_IFLNK { return false }
    // In a sticky directory (/tmp) nobody can move what is another one's.
    let isSticky = info.st_mode & S_IFMT == S_IFDIR && info.st_mode & S_ISVTX != 0
    return info.st_mode & 0o022 != 0 && !(isParent && isSticky)
}
