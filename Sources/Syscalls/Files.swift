import Glibc

/// mkdir(2); it is no error if the directory exists.
public func makeDirectory(_ path: String, mode: mode_t) throws(SystemError) {
    if mkdir(path, mode) == 0 { return }
    let code = errno
    guard code == EEXIST else { throw SystemError("make directory", path, errno: code) }
    let existing = try FileDescriptor.open(path, O_PATH | O_NOFOLLOW).status(path: path)
    guard existing.st_mode & S_IFMT == S_IFDIR else {
        throw SystemError("use as a directory", path, errno: ENOTDIR)
    }
}

/// realpath(3): absolute, without links.
public func resolvePath(_ path: String) throws(SystemError) -> String {
    guard let resolved = realpath(path, nil) else {
        throw SystemError("resolve", path, errno: errno)
    }
    defer { free(resolved) }
    return String(cString: resolved)
}

/// Writes a file that only root may read, as a whole or not at all.
public func replaceFile(_ path: String, with content: [UInt8]) throws(SystemError) {
    let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    let temporary = path[..<slash] + "." + path[slash...]
    let descriptor = try FileDescriptor.open(
        String(temporary), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
    do {
        try descriptor.write(content, path: String(temporary))
    } catch {
        unlink(String(temporary))
        throw error
    }
    if rename(String(temporary), path) != 0 {
        let code = errno
        unlink(String(temporary))
        throw SystemError("replace", path, errno: code)
    }
}

/// The whole of a small file, by path.
///
/// - Parameter limit: more bytes than this fail with `EFBIG`.
public func readFile(_ path: String, limit: Int = 1 << 26) throws(SystemError) -> [UInt8] {
    try FileDescriptor.open(path).readToEnd(limit: limit, path: path)
}
