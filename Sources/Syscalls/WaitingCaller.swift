import CLinux
import Glibc

/// A thread that waits in sysinfo(2) or sched_getaffinity(2) for its answer.
enum WaitingCaller {
    /// How often to look for a thread to fall asleep that has just begun to wait, 20 us apart.
    private static let mostLooks = 100

    /// Writes where the thread has asked for it, and nowhere else (see `clinux_waits_for`).
    ///
    /// - Parameters:
    ///   - tid: its number in the pid namespace of `proc`.
    ///   - proc: a procfs.
    /// - Throws: `EACCES` if it does not wait there, or has not asked for so many bytes at that
    ///   address; `EFAULT` if it may not write there itself.
    static func write(
        _ bytes: UnsafeRawBufferPointer, to tid: Int32, at address: UInt64,
        _ proc: borrowing FileDescriptor
    ) throws(SystemError) {
        let path = "\(tid)/syscall"
        let call: FileDescriptor
        do throws(SystemError) {
            call = try proc.open(at: path)
        } catch {
            guard error.errno == EACCES else { throw error }
            // The file belongs to the user whom the process runs as.
            call = try proc.open(at: path, O_RDONLY, raising: .allFiles)
        }
        var looks = 0
        while true {
            let result = clinux_waits_for(call.raw, address, bytes.count)
            if result == -EAGAIN, looks < Self.mostLooks {
                looks += 1
                usleep(20)
                continue
            }
            let waits = try check(result, "look at the call of thread", "\(tid)")
            guard waits == 1 else {
                throw SystemError("write to the memory of thread", "\(tid)", errno: EACCES)
            }
            break
        }
        _ = try check(
            clinux_write_memory(tid, address, bytes.baseAddress, bytes.count),
            "write to the memory of thread", "\(tid)")
    }
}
