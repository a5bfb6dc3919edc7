import CLinux
import Glibc

/// The affinity mask of a thread as the kernel has it (sched_getaffinity(2)).
///
/// - Returns: how many bytes of `mask` were written.
public func affinity(
    of tid: Int32, into mask: UnsafeMutableRawBufferPointer
) throws(SystemError) -> Int {
    let result = clinux_affinity(tid, mask.baseAddress, mask.count)
    return Int(try check(result, "get the affinity of thread", "\(tid)"))
}
