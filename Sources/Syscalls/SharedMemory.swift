import Glibc

/// Memory that several processes see and that outlives each of them, as long as somebody
/// holds its descriptor (memfd_create(2)).
public enum SharedMemory {
    /// A new piece of memory, all zero. Takes no room before it is written to.
    ///
    /// - Parameters:
    ///   - name: shown in `/proc/<pid>/maps`.
    ///   - size: in bytes.
    public static func make(_ name: String, size: Int) throws(SystemError) -> FileDescriptor {
        let operation = "make shared memory"
        let flags = MFD_CLOEXEC | MFD_ALLOW_SEALING
        let memory = FileDescriptor(
            owning: try attempting(operation, name) { memfd_create(name, flags) })
        _ = try attempting(operation, name) { ftruncate(memory.raw, off_t(size)) }
        // A process that maps it relies on its size: a read beyond the end is SIGBUS.
        _ = try attempting(operation, name) {
            fcntl(memory.raw, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW)
        }
        return memory
    }

    /// Maps `size` bytes for reading and writing, until the process ends.
    public static func map(
        _ memory: borrowing FileDescriptor, size: Int
    ) throws(SystemError) -> UnsafeMutableRawPointer {
        guard Int(try memory.status(path: "shared memory").st_size) >= size else {
            throw SystemError("map", "shared memory", errno: EINVAL)
        }
        let address = mmap(
            nil, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, memory.raw, 0)
        guard let address, address != MAP_FAILED else {
            throw SystemError("map", "shared memory", errno: errno)
        }
        return address
    }

    /// Gives the room of what lies between two addresses of a mapping back to the system, as far as
    /// it is whole pages; it reads as zero then, for everybody (`MADV_REMOVE`).
    ///
    /// - Parameter count: bytes from `start` on.
    public static func giveBack(
        _ start: UnsafeMutableRawPointer, count: Int
    ) throws(SystemError) {
        let page = UInt(max(sysconf(CInt(_SC_PAGESIZE)), 1))
        let first = (UInt(bitPattern: start) + page - 1) / page * page
        let end = (UInt(bitPattern: start) + UInt(max(count, 0))) / page * page
        guard end > first, let address = UnsafeMutableRawPointer(bitPattern: first) else {
            return
        }
        _ = try attempting("give back room of", "shared memory") {
            madvise(address, Int(end - first), MADV_REMOVE)
        }
    }
}
