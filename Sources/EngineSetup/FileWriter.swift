import Glibc
import Syscalls

/// Changes files of a ``Root``, each as a whole or not at all.
struct FileWriter {
    let root: Root
    /// The directories that were made, as the root sees them, outermost first.
    private(set) var made: [String] = []

    init(_ root: Root) { self.root = root }

    /// Gives a file a content. Its owner and mode stay.
    mutating func write(_ content: [UInt8], to file: String, mode: mode_t = 0o644)
        throws(SetupError)
    {
        try makeDirectories(for: file)
        let place = try root.place(of: file)
        do {
            try Self.replace(place, content, mode: mode)
        } catch {
            throw Self.explained(error)
        }
    }

    /// Takes away a file, if it is there.
    func remove(_ file: String) throws(SetupError) {
        let place = try root.place(of: file)
        if unlink(place) == 0 || errno == ENOENT { return }
        throw Self.explained(SystemError("remove", place, errno: errno))
    }

    private mutating func makeDirectories(for file: String) throws(SetupError) {
        var directory = ""
        for part in file.split(separator: "/").dropLast() {
            directory += "/" + part
            if root.hasDirectory(directory) { continue }
            let place = try root.place(of: directory)
            do {
                try makeDirectory(place, mode: 0o755)
            } catch {
                throw Self.explained(error)
            }
            made.append(directory)
        }
    }

    private static func replace(
        _ place: String, _ content: [UInt8], mode: mode_t
    ) throws(SystemError) {
        let slash = place.lastIndex(of: "/").map { place.index(after: $0) } ?? place.startIndex
        // A name that no engine takes for a file of configuration.
        let temporary = place[..<slash] + "." + place[slash...] + ".lxcfs-hook-new"
        let path = String(temporary)
        unlink(path)
        let descriptor = try FileDescriptor.open(
            path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        do throws(SystemError) {
            var old = stat()
            if lstat(place, &old) == 0 {
                if fchown(descriptor.raw, old.st_uid, old.st_gid) != 0 {
                    throw SystemError("give its owner to", path, errno: errno)
                }
            } else {
                old.st_mode = mode
            }
            if fchmod(descriptor.raw, old.st_mode & 0o7777) != 0 {
                throw SystemError("give its mode to", path, errno: errno)
            }
            try descriptor.write(content, path: path)
            if fsync(descriptor.raw) != 0 { throw SystemError("write", path, errno: errno) }
            if rename(path, place) != 0 { throw SystemError("replace", place, errno: errno) }
        } catch {
            unlink(path)
            throw error
        }
    }

    private static func explained(_ error: SystemError) -> SetupError {
        switch error.errno {
        case EACCES, EPERM: SetupError("\(error) (as root? sudo lxcfs-hook ...)")
        case EROFS:
            SetupError(
                """
                \(error); on a system whose /etc is part of an image, change the image: \
                lxcfs-hook install ... --root DIR
                """)
        case EBUSY:
            SetupError("\(error); it is a mount: change the file that is mounted there")
        default: SetupError("\(error)")
        }
    }
}
