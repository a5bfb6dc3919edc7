import Glibc
import Synchronization

/// Standard error as the log of a daemon: whoever is to read it never holds up who writes.
///
/// A pipe that nobody empties, or a terminal that has been stopped, would otherwise keep every
/// thread that has something to say. What cannot be written at once is lost, and counted.
public enum LogOutput {
    /// Messages that were lost since the last one that was not.
    private static let lost = Atomic<Int>(0)

    /// Bytes of the longest message: what a pipe that has room at all takes as a whole (pipe(7),
    /// `PIPE_BUF`).
    private static let sizeLimit = 4096

    /// Writes a line.
    ///
    /// - Parameter line: with the line feed; cut if it is too long.
    /// - Returns: whether it has been written.
    @discardableResult
    public static func write(_ line: String, to descriptor: CInt = STDERR_FILENO) -> Bool {
        let before = lost.exchange(0, ordering: .relaxed)
        let note =
            before == 0 ? "" : "(\(before) messages before this one could not be written)\n"
        var bytes = Array((note + line).utf8)
        if bytes.count > sizeLimit {
            bytes.replaceSubrange((sizeLimit - 4)..., with: Array("...\n".utf8))
        }
        if writeAtOnce(bytes, descriptor) { return true }
        lost.add(before + 1, ordering: .relaxed)
        return false
    }

    private static func writeAtOnce(_ bytes: [UInt8], _ descriptor: CInt) -> Bool {
        let sent = send(
            descriptor, bytes, bytes.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
        if sent >= 0 { return sent == bytes.count }
        guard errno == ENOTSOCK else { return false }
        // Not O_NONBLOCK, which all who have the same open file would have, too.
        var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&ready, 1, 0) == 1, ready.revents & Int16(POLLOUT) != 0 else { return false }
        return Glibc.write(descriptor, bytes, bytes.count) == bytes.count
    }
}
