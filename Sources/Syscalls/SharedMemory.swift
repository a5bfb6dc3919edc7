import CLinux
import Glibc

/// Memory that outlives the process as long as somebody holds its descriptor
/// (memfd_create(2)).
public final class SharedMemory: @unchecked Sendable {
    public let descriptor: FileDescriptor
    public let bytes: UnsafeMutableRawBufferPointer

    /// - Parameter name: shown in `/proc/<pid>/maps`.
    public convenience init(name: String, size: Int) throws(SystemError) {
        let result = clinux_shared_memory(name, size)
        try self.init(
            FileDescriptor(owning: try check(result, "make shared memory", name)), size: size)
    }

    /// Maps what another process has made.
    ///
    /// - Throws: `EINVAL` if it is smaller than `size`.
    public init(_ descriptor: consuming FileDescriptor, size: Int) throws(SystemError) {
        // Touching pages beyond the end would be SIGBUS.
        guard try descriptor.status(path: "shared memory").st_size >= size else {
            throw SystemError("map", "shared memory", errno: EINVAL)
        }
        let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.raw, 0)
        guard let address, address != MAP_FAILED else {
            throw SystemError("map", "shared memory", errno: errno)
        }
        bytes = UnsafeMutableRawBufferPointer(start: address, count: size)
        self.descriptor = descriptor
    }

    deinit { munmap(bytes.baseAddress, bytes.count) }
}
