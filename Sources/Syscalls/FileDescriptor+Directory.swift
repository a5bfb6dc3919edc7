import Glibc

extension FileDescriptor {
    /// The names in the directory `path` below this one, sorted, without `.` and `..`.
    public func list(_ path: String = ".") throws(SystemError) -> [DirectoryItem] {
        let number = try open(at: path, O_RDONLY | O_DIRECTORY).release()
        guard let stream = fdopendir(number) else {
            let code = errno
            close(number)
            throw SystemError("list", path, errno: code)
        }
        defer { closedir(stream) }
        var items: [DirectoryItem] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            items.append(
                DirectoryItem(
                    name: name, type: entry.pointee.d_type,
                    inode: UInt64(entry.pointee.d_ino)))
        }
        return items.sorted { $0.name < $1.name }
    }

    /// readlinkat(2).
    public func readLink(at path: String) throws(SystemError) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = try retrying("read link", path) {
            readlinkat(raw, path, &buffer, buffer.count)
        }
        return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// fstatat(2) without following a symbolic link at the end.
    public func status(at path: String) throws(SystemError) -> stat {
        var info = stat()
        _ = try retrying("stat", path) { fstatat(raw, path, &info, AT_SYMLINK_NOFOLLOW) }
        return info
    }
}
