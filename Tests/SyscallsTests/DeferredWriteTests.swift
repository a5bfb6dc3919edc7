import Glibc
import Testing

@testable import Syscalls

@Suite struct DeferredWriteTests {
    private func content(_ path: String) throws -> String {
        String(decoding: try readFile(path), as: UTF8.self)
    }

    @Test func writesWhenAsked() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/file"
        try directory.write("file", "")
        let write = try DeferredWrite(
            "later", to: FileDescriptor.open(path, O_WRONLY), path: path)
        #expect(try content(path) == "")
        try write.perform()
        #expect(try content(path) == "later")
    }

    @Test func writesWhenForgotten() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/file"
        try directory.write("file", "")
        do {
            _ = try DeferredWrite("later", to: FileDescriptor.open(path, O_WRONLY), path: path)
        }
        let end = Clock.monotonic() + 10_000_000_000
        while try content(path).isEmpty, Clock.monotonic() < end { usleep(1000) }
        #expect(try content(path) == "later")
    }

    /// The second process must not hold what the first one waits for.
    @Test(.timeLimit(.minutes(1))) func oneDoesNotWaitForAnother() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/file"
        try directory.write("file", "")
        let first = try DeferredWrite(
            "first", to: FileDescriptor.open(path, O_WRONLY), path: path)
        let second = try DeferredWrite(
            "again", to: FileDescriptor.open(path, O_WRONLY), path: path)
        try first.perform()
        #expect(try content(path) == "first")
        try second.perform()
        #expect(try content(path) == "again")
    }

    @Test func saysWhyItDidNotWrite() throws {
        let write = try DeferredWrite(
            "later", to: FileDescriptor.open("/dev/full", O_WRONLY), path: "/dev/full")
        var fault: SystemError?
        do throws(SystemError) { try write.perform() } catch { fault = error }
        #expect(fault == SystemError("write", "/dev/full", errno: ENOSPC))
    }
}
