import Glibc
import Testing

@testable import Syscalls

@Suite struct ServiceManagerTests {
    @Test(.timeLimit(.minutes(1))) func oneThatDoesNotReadIsNotWaitedFor() throws {
        let path = "/tmp/lxcfs-hook-test-\(getpid())-notify"
        unlink(path)
        defer { unlink(path) }
        let manager = FileDescriptor(
            owning: socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let bound = withUnsafePointer(to: &address) {
            bind(manager.raw, __CONST_SOCKADDR_ARG(__sockaddr_un__: $0), size)
        }
        try #require(bound == 0)
        let error = #expect(throws: SystemError.self) {
            // Until its queue (net.unix.max_dgram_qlen) is full.
            for _ in 0..<5000 { try notify(at: path, "STATUS=x", descriptors: []) }
        }
        #expect(error?.errno == EAGAIN)
    }
}
