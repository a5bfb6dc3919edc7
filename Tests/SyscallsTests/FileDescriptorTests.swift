import Glibc
import Testing

@testable import Syscalls

/// A directory that is removed with its content.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/syscalls-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw SystemError("make", "a temporary directory", errno: errno)
        }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        for name in ["file", "link", "socket", "sub/file"] { unlink(path + "/" + name) }
        rmdir(path + "/sub")
        rmdir(path)
    }

    func write(_ name: String, _ text: String) throws {
        try FileDescriptor.open(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
            .write(Array(text.utf8))
    }
}

@Suite struct FileDescriptorTests {
    @Test func errorsNameOperationPathAndReason() {
        let error = #expect(throws: SystemError.self) {
            _ = try FileDescriptor.open("/no/such/file")
        }
        #expect(error?.errno == ENOENT)
        #expect("\(error!)" == "cannot open /no/such/file: No such file or directory")
    }

    @Test func closesWithItsOwner() throws {
        let directory = try TemporaryDirectory()
        try directory.write("file", "x")
        let number: CInt
        do {
            let descriptor = try FileDescriptor.open(directory.path + "/file")
            number = descriptor.raw
            #expect(fcntl(number, F_GETFD) == FD_CLOEXEC)
        }
        #expect(fcntl(number, F_GETFD) == -1)
    }

    @Test func readsWholeFilesUpToALimit() throws {
        let directory = try TemporaryDirectory()
        let text = String(repeating: "0123456789", count: 5000)
        try directory.write("file", text)
        let path = directory.path + "/file"
        #expect(try readFile(path) == Array(text.utf8))
        let error = #expect(throws: SystemError.self) { try readFile(path, limit: 49_999) }
        #expect(error?.errno == EFBIG)
    }

    @Test func openat2FollowsNoLinkAndStaysInside() throws {
        let directory = try TemporaryDirectory()
        try directory.write("file", "inside")
        #expect(symlink("/etc/passwd", directory.path + "/link") == 0)
        let root = try FileDescriptor.open(directory.path, O_PATH | O_DIRECTORY)
        let strict: ResolveFlags = [.inRoot, .noSymlinks, .noMagicLinks]
        _ = try root.open(at: "file", O_PATH, resolve: strict)
        var error = #expect(throws: SystemError.self) {
            _ = try root.open(at: "link", O_PATH, resolve: strict)
        }
        #expect(error?.errno == ELOOP)
        // ".." at the root of the walk is the root.
        _ = try root.open(at: "../../file", O_PATH, resolve: strict)
        error = #expect(throws: SystemError.self) {
            _ = try root.open(at: "../../etc/passwd", O_PATH, resolve: strict)
        }
        #expect(error?.errno == ENOENT)
    }

    @Test func knowsProcfs() throws {
        #expect(try FilesystemKind.of(path: "/proc/self/status") == .procfs)
        #expect(try FilesystemKind.of(path: "/sys/devices") == .sysfs)
        #expect(FilesystemKind(magic: 0xef53).description == "filesystem type 0xef53")
    }

    @Test func listsDirectories() throws {
        let directory = try TemporaryDirectory()
        try directory.write("file", "")
        mkdir(directory.path + "/sub", 0o700)
        let items = try FileDescriptor.open(directory.path, O_RDONLY).list()
        #expect(items.map(\.name) == ["file", "sub"])
        #expect(items.map(\.isDirectory) == [false, true])
    }

    @Test func socketsArePrivateAndKnowTheirPeer() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/socket"
        let listener = try UnixSocket.listen(path, mode: 0o600)
        if try UnixSocket.accept(listener) != nil { Issue.record("nobody has connected") }
        var info = stat()
        #expect(stat(path, &info) == 0)
        #expect(info.st_mode & 0o777 == 0o600)
        let client = try UnixSocket.connect(path, timeout: 1000)
        guard let server = try UnixSocket.accept(listener) else {
            Issue.record("nobody waits")
            return
        }
        let peer = try UnixSocket.peer(of: server)
        #expect(peer == PeerCredentials(pid: getpid(), uid: geteuid(), gid: getegid()))
        try client.write(Array("hello".utf8))
        var buffer = [UInt8](repeating: 0, count: 5)
        #expect(read(server.raw, &buffer, 5) == 5)
        #expect(buffer == Array("hello".utf8))
    }

    @Test func refusesSocketPathsThatDoNotFit() {
        let error = #expect(throws: SystemError.self) {
            _ = try UnixSocket.listen("/tmp/" + String(repeating: "x", count: 200), mode: 0o600)
        }
        #expect(error?.errno == ENAMETOOLONG)
    }

    @Test func pollerTellsWhoIsReadable() throws {
        let poller = try Poller()
        let event = try EventDescriptor.make()
        try poller.add(event, token: 42)
        var token = try poller.wait(timeout: 0)
        #expect(token == nil)
        EventDescriptor.signal(event)
        token = try poller.wait(timeout: 1000)
        #expect(token == 42)
        EventDescriptor.wait(event)
        token = try poller.wait(timeout: 0)
        #expect(token == nil)
    }

    @Test func processesAreSeenToEnd() throws {
        var pid = pid_t()
        let program = "/bin/true"
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(program), nil]
        defer { free(arguments[0]) }
        #expect(posix_spawn(&pid, program, nil, nil, &arguments, nil) == 0)
        let process = try openProcess(pid)
        let poller = try Poller()
        try poller.add(process, token: 7)
        let token = try poller.wait(timeout: 5000)
        #expect(token == 7)
        // A zombie still exists.
        var exists = processExists(process)
        #expect(exists)
        waitpid(pid, nil, 0)
        exists = processExists(process)
        #expect(!exists)
    }
}
