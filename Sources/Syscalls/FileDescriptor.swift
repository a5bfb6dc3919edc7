import CLinux
import Glibc

/// An open file descriptor that is closed when its owner goes away.
public struct FileDescriptor: ~Copyable, Sendable {
    /// The number, for calls that only borrow it.
    public let raw: CInt

    /// Takes ownership of `raw`.
    public init(owning raw: CInt) {
        self.raw = raw
    }

    deinit {
        close(raw)
    }

    /// Gives up ownership: the caller must close the number.
    public consuming func release() -> CInt {
        let number = raw
        discard self
        return number
    }

    /// open(2). `O_CLOEXEC` is always set.
    public static func open(
        _ path: String, _ flags: CInt = O_RDONLY, mode: mode_t = 0
    ) throws(SystemError) -> FileDescriptor {
        let number = try retrying("open", path) { Glibc.open(path, flags | O_CLOEXEC, mode) }
        return FileDescriptor(owning: number)
    }

    /// openat(2) relative to this directory. `O_CLOEXEC` is always set.
    public func open(
        at path: String, _ flags: CInt = O_RDONLY, mode: mode_t = 0
    ) throws(SystemError) -> FileDescriptor {
        let number = try retrying("open", path) { openat(raw, path, flags | O_CLOEXEC, mode) }
        return FileDescriptor(owning: number)
    }

    /// openat2(2) relative to this directory; retried when the kernel asks for it because
    /// a rename raced with the walk.
    public func open(
        at path: String, _ flags: CInt, resolve: ResolveFlags
    ) throws(SystemError) -> FileDescriptor {
        let wanted = UInt64(UInt32(bitPattern: flags | O_CLOEXEC))
        // openat2(2) says that EAGAIN may repeat for as long as someone keeps renaming; an
        // attacker must not be able to hold us here for ever.
        var attempts = 0
        while true {
            let result = clinux_openat2(raw, path, wanted, 0, resolve.rawValue)
            if (result == -EAGAIN || result == -EINTR), attempts < 128 {
                attempts += 1
                continue
            }
            return FileDescriptor(owning: try check(result, "open", path))
        }
    }

    /// openat(2) below this directory with one dormant capability, if this process may have
    /// it, see ``Privileges/keepOnly(_:dormant:)``.
    public func open(
        at path: String, _ flags: CInt, raising capability: Capability
    ) throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            owning: try check(
                clinux_open_raising(raw, path, flags, capability.number), "open", path))
    }

    /// dup(2) with close-on-exec.
    public func duplicate() throws(SystemError) -> FileDescriptor {
        let number = try retrying("duplicate", "descriptor \(raw)") {
            fcntl(raw, F_DUPFD_CLOEXEC, 0)
        }
        return FileDescriptor(owning: number)
    }

    /// Reads from the current position to the end.
    ///
    /// - Parameter limit: more bytes than this fail with `EFBIG`.
    public func readToEnd(
        limit: Int = 1 << 26, path: String? = nil
    ) throws(SystemError) -> [UInt8] {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = try retrying("read", path) {
                Glibc.read(raw, &chunk, chunk.count)
            }
            if count == 0 { return content }
            content.append(contentsOf: chunk[..<count])
            if content.count > limit { throw SystemError("read", path, errno: EFBIG) }
        }
    }

    /// write(2) until all of `bytes` is written.
    public func write(_ bytes: some Collection<UInt8>, path: String? = nil) throws(SystemError)
    {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = try retrying("write", path) {
                rest.withUnsafeBytes { Glibc.write(raw, $0.baseAddress, $0.count) }
            }
            rest = rest.dropFirst(count)
        }
    }

    /// fstat(2).
    public func status(path: String? = nil) throws(SystemError) -> stat {
        var info = stat()
        _ = try retrying("stat", path) { fstat(raw, &info) }
        return info
    }
}
