import Glibc
import Testing

@testable import Syscalls

@Suite struct ChildProcessTests {
    private func start(_ script: String) throws -> pid_t {
        let python = try FileDescriptor.open("/usr/bin/python3", O_RDONLY)
        return try ChildProcess.start(python, ["python3", "-c", script], descriptors: [])
    }

    private func end(_ pid: pid_t) {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    /// A process whose first thread has ended cannot be reaped as long as there are others.
    @Test(.enabled(if: access("/usr/bin/python3", X_OK) == 0)) func halfDead() throws {
        let pid = try start(
            """
            import ctypes, threading, time
            threading.Thread(target=time.sleep, args=(60,)).start()
            ctypes.CDLL(None).pthread_exit(None)
            """)
        defer { end(pid) }
        for _ in 0..<500 where !ChildProcess.isEnding(pid) { usleep(10_000) }
        #expect(ChildProcess.isEnding(pid))
        #expect(!ChildProcess.isStuck(pid))
        #expect(waitpid(pid, nil, WNOHANG) == 0)
    }

    /// posix_spawn(3) waits uninterruptibly for its child, and that for a writer.
    @Test(.enabled(if: access("/usr/bin/python3", X_OK) == 0)) func stuck() throws {
        let fifo = "/tmp/lxcfs-hook-test-\(getpid())-fifo"
        try #require(mkfifo(fifo, 0o600) == 0)
        defer { unlink(fifo) }
        let pid = try start(
            """
            import ctypes, threading
            libc = ctypes.CDLL(None)
            actions = ctypes.create_string_buffer(1024)
            libc.posix_spawn_file_actions_init(actions)
            libc.posix_spawn_file_actions_addopen(actions, 0, b"\(fifo)", 0, 0)
            words = (ctypes.c_char_p * 2)(b"true", None)
            threading.Thread(target=libc.posix_spawn, args=(
                ctypes.byref(ctypes.c_int()), b"/bin/true", actions, None, words, None)).start()
            libc.pthread_exit(None)
            """)
        defer {
            let writer = open(fifo, O_WRONLY | O_NONBLOCK)
            if writer >= 0 { close(writer) }
            end(pid)
        }
        for _ in 0..<500 where !ChildProcess.isStuck(pid) { usleep(10_000) }
        #expect(ChildProcess.isStuck(pid))
        #expect(ChildProcess.isEnding(pid))
    }

    @Test(.enabled(if: access("/usr/bin/python3", X_OK) == 0)) func alive() throws {
        let pid = try start("import time; time.sleep(60)")
        defer { end(pid) }
        #expect(!ChildProcess.isEnding(pid))
        #expect(!ChildProcess.isEnding(pid_t.max))
        #expect(!ChildProcess.isStuck(pid))
        #expect(ChildProcess.isStuck(pid_t.max))
    }
}
