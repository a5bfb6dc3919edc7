import Glibc
import KernelText
import Syscalls

/// The memory of a caller, for its answer: what the caller could not have the kernel write there,
/// is not written.
///
/// `/proc/<tid>/mem` alone would also write to constants and code (`FOLL_FORCE`). process_vm_writev(2)
/// would not, but names the process by its number, which may be another one's by then.
struct CallerMemory: ~Copyable {
    private let memory: FileDescriptor
    private let maps: FileDescriptor

    /// Bytes of a table of mappings, on kernels that have to list all of them: a process decides
    /// how many it has. With some 10,000 mappings it is answered by the kernel.
    static let tableLimit = 1 << 20

    /// Opens both by the number of the thread. They are the caller's if the caller still waits
    /// afterwards.
    ///
    /// - Parameter proc: a procfs.
    init(of tid: Int32, _ proc: borrowing FileDescriptor) throws(SystemError) {
        let memory = try openMemory(of: tid, proc)
        let maps = try openMappings(of: tid, proc)
        self.memory = memory
        self.maps = maps
    }

    /// - Returns: false if `bytes` cannot be written, or only in part, or the caller may not
    ///   write there.
    /// - Throws: `EFBIG` if there are too many mappings to find out.
    func write(_ bytes: UnsafeRawBufferPointer, at address: UInt64) throws(SystemError) -> Bool
    {
        let (end, overflows) = address.addingReportingOverflow(UInt64(bytes.count))
        guard !overflows, try isWritable(from: address, to: end) else { return false }
        return Syscalls.write(bytes, to: memory, at: address)
    }

    /// Whether the caller may write at all addresses from `start` to before `end`.
    private func isWritable(from start: UInt64, to end: UInt64) throws(SystemError) -> Bool {
        do {
            return try Self.isWritable(from: start, to: end) { address throws(SystemError) in
                try MemoryMapping.at(address, maps)
            }
        } catch let error where error.errno == ENOTTY {
            // Linux before 6.11.
            let table = try maps.readToEnd(limit: Self.tableLimit, path: "/proc/<pid>/maps")
            return try table.withUnsafeBufferPointer { text throws(SystemError) in
                try Self.isWritable(from: start, to: end) { address throws(SystemError) in
                    MemoryMaps.mapping(at: address, in: text)
                }
            }
        }
    }

    static func isWritable(
        from start: UInt64, to end: UInt64,
        _ mapping: (UInt64) throws(SystemError) -> MemoryMapping?
    ) throws(SystemError) -> Bool {
        var address = start
        while address < end {
            guard let found = try mapping(address), found.isWritable, found.end > address else {
                return false
            }
            address = found.end
        }
        return true
    }
}
