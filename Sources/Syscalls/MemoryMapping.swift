import CLinux
import Glibc

/// A mapping of a process's memory, as far as it matters to a writer.
public struct MemoryMapping: Equatable, Sendable {
    /// The first address behind it.
    public var end: UInt64
    /// Whether the process itself may write there.
    public var isWritable: Bool

    public init(end: UInt64, isWritable: Bool) {
        self.end = end
        self.isWritable = isWritable
    }

    /// The mapping that has `address` (`PROCMAP_QUERY`, Linux 6.11).
    ///
    /// - Parameter maps: from ``openMappings(of:_:)``.
    /// - Returns: nil if nothing is mapped there.
    /// - Throws: `ENOTTY` from an older kernel, `ESRCH` when the memory is gone.
    public static func at(
        _ address: UInt64, _ maps: borrowing FileDescriptor
    ) throws(SystemError) -> MemoryMapping? {
        var end: UInt64 = 0
        let result = clinux_mapping_at(maps.raw, address, &end)
        if result == -ENOENT { return nil }
        let isWritable = try check(
            result, "find the mapping at an address in", "/proc/<pid>/maps")
        return MemoryMapping(end: end, isWritable: isWritable != 0)
    }
}
