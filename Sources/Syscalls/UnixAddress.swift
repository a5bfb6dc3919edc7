import Glibc

/// Where a Unix socket is (unix(7)): a file, or a name in the abstract namespace if the path
/// begins with `@`.
struct UnixAddress {
    private var address = sockaddr_un()
    /// In bytes.
    let size: socklen_t

    /// - Throws: `ENAMETOOLONG` if `path` is empty or longer than an address can be.
    init(_ path: String, _ operation: @autoclosure () -> String) throws(SystemError) {
        let bytes = path.utf8.prefix { $0 != 0 }
        let count = bytes.count
        // A file's name ends with a zero.
        guard count > 0, count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError(operation(), path, errno: ENAMETOOLONG)
        }
        address.sun_family = sa_family_t(AF_UNIX)
        let isAbstract = bytes.first == UInt8(ascii: "@")
        withUnsafeMutableBytes(of: &address.sun_path) {
            $0.copyBytes(from: bytes)
            if isAbstract { $0[0] = 0 }
        }
        let start =
            MemoryLayout.size(ofValue: address) - MemoryLayout.size(ofValue: address.sun_path)
        size = socklen_t(start + count + (isAbstract ? 0 : 1))
    }

    func withPointer<Value>(_ body: (__CONST_SOCKADDR_ARG) -> Value) -> Value {
        withUnsafePointer(to: address) { body(__CONST_SOCKADDR_ARG(__sockaddr_un__: $0)) }
    }
}
