import Glibc
import Syscalls

/// A tree of files that is, or will be, an engine's `/`. Links in it lead to places in it.
struct Root {
    /// Without a slash at the end; empty for this machine's own.
    let path: String

    /// No configuration is larger.
    static let sizeLimit = 1 << 20

    init(_ path: String) {
        var path = path
        while path.hasSuffix("/") { path.removeLast() }
        self.path = path
    }

    var isThisMachine: Bool { path.isEmpty }

    /// Where a file of the tree is on this machine, links followed. The file, and directories on the
    /// way to it, need not exist; but no link may lead to nothing.
    func place(of file: String) throws(SetupError) -> String {
        var rest = Self.components(file)
        var done: [String] = []
        var links = 0
        // How many of the rest the last link has named.
        var linked = 0
        while !rest.isEmpty {
            let next = rest.removeFirst()
            let isOfLink = linked > 0
            linked -= isOfLink ? 1 : 0
            if next == ".." {
                _ = done.popLast()
                continue
            }
            let candidate = path + "/" + (done + [next]).joined(separator: "/")
            var status = stat()
            guard lstat(candidate, &status) == 0 else {
                guard errno == ENOENT || errno == ENOTDIR else {
                    throw SetupError("\(SystemError("look at", candidate, errno: errno))")
                }
                guard !isOfLink else {
                    throw SetupError(
                        "\(path)\(file) is a link to \(candidate), which does not exist")
                }
                done.append(next)
                continue
            }
            guard status.st_mode & S_IFMT == S_IFLNK else {
                done.append(next)
                continue
            }
            links += 1
            guard links <= 40 else { throw SetupError("\(path)\(file): too many links") }
            let target = try Self.link(candidate)
            if target.hasPrefix("/") { done = [] }
            let components = Self.components(target)
            linked += components.count
            rest = components + rest
        }
        return path + "/" + done.joined(separator: "/")
    }

    private static func components(_ path: String) -> [String] {
        path.split(separator: "/").map(String.init).filter { $0 != "." }
    }

    private static func link(_ path: String) throws(SetupError) -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes {
            guard let start = $0.baseAddress else { return 0 }
            return readlink(path, start.assumingMemoryBound(to: CChar.self), $0.count)
        }
        guard count >= 0 else {
            throw SetupError("\(SystemError("read the link", path, errno: errno))")
        }
        return String(decoding: buffer.prefix(count), as: UTF8.self)
    }

    /// The content of a file; nil if there is none.
    func read(_ file: String) throws(SetupError) -> [UInt8]? {
        let place = try place(of: file)
        do {
            let descriptor = try FileDescriptor.open(place, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
            guard try descriptor.status(path: place).st_mode & S_IFMT == S_IFREG else {
                throw SetupError("\(place) is not a file: left as it is")
            }
            return try descriptor.readToEnd(limit: Self.sizeLimit, path: place)
        } catch let error as SystemError {
            if error.errno == ENOENT || error.errno == ENOTDIR { return nil }
            if error.errno == EFBIG {
                throw SetupError(
                    """
                    \(place) is larger than \(Self.sizeLimit >> 20) MB, which no configuration is: \
                    left as it is
                    """)
            }
            throw SetupError("\(error)")
        } catch let error as SetupError {
            throw error
        } catch {
            throw SetupError("\(error)")
        }
    }

    /// Whether something is there, and is not a directory.
    func hasFile(_ file: String) -> Bool {
        guard let place = try? place(of: file) else { return false }
        var status = stat()
        return lstat(place, &status) == 0 && status.st_mode & S_IFMT != S_IFDIR
    }

    func hasDirectory(_ file: String) -> Bool {
        guard let place = try? place(of: file) else { return false }
        var status = stat()
        return lstat(place, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in a directory, in order; none if it is not there.
    func names(in directory: String) throws(SetupError) -> [String] {
        let place = try place(of: directory)
        do {
            return try FileDescriptor.open(place, O_RDONLY | O_DIRECTORY).list().map(\.name)
                .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return [] }
            throw SetupError("\(error)")
        }
    }
}
