import CLinux
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
        FileDescriptor(
            owning: try check(clinux_memfd(name, UInt64(size)), "make shared memory", name))
    }

    /// Maps `size` bytes for reading and writing, until the process ends.
    public static func map(
        _ memory: borrowing FileDescriptor, size: Int
    ) throws(SystemError) -> UnsafeMutableRawPointer {
        guard Int(try memory.status(path: "shared memory").st_size) >= size else {
            throw SystemError("map", "shared memory", errno: EINVAL)
        }
        guard let address = clinux_map_shared(memory.raw, UInt64(size)) else {
            throw SystemError("map", "shared memory", errno: errno)
        }
        return address
    }
}
