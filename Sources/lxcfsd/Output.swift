import Glibc
import Syscalls

/// Standard output.
enum Output {
    /// Writes all of the text at once.
    ///
    /// - Throws: what write(2) says; `EPIPE` if nobody reads any more.
    static func write(_ text: String) throws(SystemError) {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("write to", "standard output", errno: errno)
            }
            done += count
        }
    }
}
