import CLinux
import Glibc

/// One end of a pair of sockets that carry messages, some with a descriptor (unix(7),
/// `SOCK_SEQPACKET`).
public struct MessageSocket: ~Copyable, Sendable {
    public let descriptor: FileDescriptor

    public init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// Bytes of the longest message.
    public static let sizeLimit = 16384

    /// A message as it has arrived.
    public struct Message: ~Copyable {
        public let bytes: [UInt8]
        /// What came with it; the number has to be closed.
        public let descriptor: CInt?
    }

    /// Both ends, as numbers: somebody has to own them.
    public static func pair() throws(SystemError) -> (CInt, CInt) {
        var numbers: [CInt] = [-1, -1]
        let type = CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
        _ = try attempting("make a pair of", "sockets") {
            socketpair(AF_UNIX, type, 0, &numbers)
        }
        return (numbers[0], numbers[1])
    }

    /// - Parameters:
    ///   - file: a descriptor to send along.
    ///   - waits: for the other side to take what it has been sent, if that is a lot; otherwise
    ///     fails with `EAGAIN` then.
    public func send(
        _ bytes: [UInt8], _ file: CInt = -1, waits: Bool = true
    ) throws(SystemError) {
        let result = clinux_send(
            descriptor.raw, bytes, bytes.count, [file], file >= 0 ? 1 : 0, nil, 0,
            waits ? 0 : CInt(MSG_DONTWAIT))
        _ = try check(result, "send to", "the other process")
    }

    /// Waits for a message; nil when the other side is gone.
    public func receive() throws(SystemError) -> Message? {
        var bytes = [UInt8](repeating: 0, count: Self.sizeLimit)
        var file: CInt = -1
        var fileCount = 0
        var result: Int
        repeat {
            result = clinux_receive(
                descriptor.raw, &bytes, bytes.count, &file, 1, &fileCount)
        } while result == -Int(EINTR)
        if result == -Int(ECONNRESET) { return nil }
        let size = try check(result, "receive from", "the other process")
        // An empty message looks like the end, but for what comes along with it.
        if size == 0, fileCount == 0 { return nil }
        return Message(bytes: Array(bytes[..<size]), descriptor: fileCount == 0 ? nil : file)
    }
}
