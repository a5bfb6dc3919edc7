import CLinux
import Glibc

/// sd_notify(3) without libsystemd: tells the service manager `message`, if there is one.
///
/// - Parameter descriptors: to send along (`FDSTORE=1`); at most 16.
public func notifyServiceManager(
    _ message: String, descriptors: [CInt] = []
) throws(SystemError) {
    guard let address = getenv("NOTIFY_SOCKET") else { return }
    let path = String(cString: address)
    if path.isEmpty { return }
    try notify(at: path, message, descriptors: descriptors)
}

/// The same, to a given socket.
func notify(
    at path: String, _ message: String, descriptors: [CInt]
) throws(SystemError) {
    let address = try UnixAddress(path, "notify")
    let type = CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
    let sender = FileDescriptor(
        owning: try attempting("notify", path) { socket(AF_UNIX, type, 0) })
    // A service manager that does not listen must not keep the caller for ever.
    _ = try attempting("notify", path) {
        UnixSocket.setTimeout(of: sender, SO_SNDTIMEO, milliseconds: 500)
    }
    var message = message
    let result = message.withUTF8 { text in
        address.withPointer {
            clinux_send(
                sender.raw, text.baseAddress, text.count, descriptors, descriptors.count,
                $0.__sockaddr_un__, address.size, 0)
        }
    }
    _ = try check(result, "notify", path)
}
