import Glibc

/// The state in `stat` of a directory of `/proc` (proc_pid_stat(5)); nil if there is none.
func threadState(inDirectory directory: String) -> UInt8? {
    let path = directory + "/stat"
    guard let text = try? FileDescriptor.open(path, O_RDONLY).readToEnd(path: path),
        // The name before it may have any characters.
        let end = text.lastIndex(of: UInt8(ascii: ")")), text.count > end + 2
    else { return nil }
    return text[end + 2]
}

/// Whether a thread of this process waits in the kernel for something that no signal ends, such as
/// a page.
public func sleepsUninterruptibly(thread: pid_t) -> Bool {
    threadState(inDirectory: "/proc/self/task/\(thread)") == UInt8(ascii: "D")
}
