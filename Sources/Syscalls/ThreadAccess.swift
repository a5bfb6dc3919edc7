import CLinux
import Glibc

/// The memory of a process by one of its threads, for writing (`/proc/<pid>/mem`).
///
/// - Parameter proc: a procfs.
public func openMemory(
    of tid: Int32, _ proc: borrowing FileDescriptor
) throws(SystemError) -> FileDescriptor {
    let result = clinux_open_task_file(proc.raw, tid, "mem", O_RDWR)
    // The file belongs to the user whom the process runs as.
    if result == -EACCES {
        return try proc.open(at: "\(tid)/mem", O_RDWR, raising: .allFiles)
    }
    return FileDescriptor(owning: try check(result, "open memory of thread", "\(tid)"))
}

/// Writes to an address of a process.
///
/// - Parameter memory: from ``openMemory(of:_:)``.
/// - Returns: false if not all of `bytes` could be written.
public func write(
    _ bytes: UnsafeRawBufferPointer, to memory: borrowing FileDescriptor, at address: UInt64
) -> Bool {
    pwrite(memory.raw, bytes.baseAddress, bytes.count, off_t(Int64(bitPattern: address)))
        == bytes.count
}

/// The affinity mask of a thread as the kernel has it (sched_getaffinity(2)).
///
/// - Returns: how many bytes of `mask` were written.
public func affinity(
    of tid: Int32, into mask: UnsafeMutableRawBufferPointer
) throws(SystemError) -> Int {
    let result = clinux_affinity(tid, mask.baseAddress, mask.count)
    return Int(try check(result, "get the affinity of thread", "\(tid)"))
}
