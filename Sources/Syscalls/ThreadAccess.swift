import CLinux
import Glibc

/// The memory of a process by one of its threads, for writing (`/proc/<pid>/mem`).
///
/// - Parameter proc: a procfs.
public func openMemory(
    of tid: Int32, _ proc: borrowing FileDescriptor
) throws(SystemError) -> FileDescriptor {
    let path = "\(tid)/mem"
    do {
        return FileDescriptor(
            owning: try attempting("open memory of thread", "\(tid)") {
                openat(proc.raw, path, O_RDWR | O_CLOEXEC)
            })
    } catch let error where error.errno == EACCES {
        // The file belongs to the user whom the process runs as.
        return try proc.open(at: path, O_RDWR, raising: .allFiles)
    }
}

/// The table of the mappings of a process by one of its threads (`/proc/<pid>/maps`). Like
/// ``openMemory(of:_:)`` it stays with the memory that the process had when it was opened.
///
/// - Parameter proc: a procfs.
public func openMappings(
    of tid: Int32, _ proc: borrowing FileDescriptor
) throws(SystemError) -> FileDescriptor {
    let path = "\(tid)/maps"
    return FileDescriptor(
        owning: try attempting("open mappings of thread", "\(tid)") {
            openat(proc.raw, path, O_RDONLY | O_CLOEXEC)
        })
}

/// Writes to an address of a process, also where the process itself may not: the kernel makes a
/// private mapping writable for this once (`FOLL_FORCE`).
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
