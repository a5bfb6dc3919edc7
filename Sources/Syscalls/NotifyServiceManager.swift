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
    _ = try check(
        clinux_notify(path, message, descriptors, descriptors.count), "notify", path)
}
