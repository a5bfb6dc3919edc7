import Glibc
import Testing

@testable import Syscalls

@Suite struct ChildProcessTests {
    private func start(_ script: String) throws -> pid_t {
        let python = try FileDescriptor.open("/usr/bin/python3", O_RDONLY)
        return try ChildProcess.start(python, ["python3", "-c", script], descriptors: [])
    }

    /// Whether something holds within ten seconds, at some moment. On a busy machine a process
    /// that has just been started waits uninterruptibly (state D) for its program to be read,
    /// which looks as if it were stuck: ``ChildProcess/isStuck(_:)`` is made for processes that
    /// were killed some time ago.
    private func comesTrue(_ condition: () -> Bool) -> Bool {
        for _ in 0..<1000 {
            if condition() { return true }
            usleep(10_000)
        }
        return false
    }

    private func staysStuck(_ pid: pid_t) -> Bool {
        for _ in 0..<10 {
            if !ChildProcess.isStuck(pid) { return false }
            usleep(10_000)
        }
        return true
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
        #expect(comesTrue { ChildProcess.isEnding(pid) })
        #expect(comesTrue { !ChildProcess.isStuck(pid) })
        #expect(waitpid(pid, nil, WNOHANG) == 0)
    }

    /// posix_spawn(3) waits uninterruptibly for its child, and that for a writer.
    @Test(.enabled(if: access("/usr/bin/python3", X_OK) == 0)) func stuck() throws {
        let fifo = "/tmp/lxcfs-hook-test-\(getpid())-fifo"
        try #require(mkfifo(fifo, 0o600) == 0)
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
            // Nobody may be left waiting, not even a child that opens the file only now.
            let writer = open(fifo, O_RDWR)
            unlink(fifo)
            end(pid)
            close(writer)
        }
        #expect(comesTrue { ChildProcess.isEnding(pid) && staysStuck(pid) })
    }

    @Test(.enabled(if: access("/usr/bin/python3", X_OK) == 0)) func alive() throws {
        let pid = try start("import time; time.sleep(60)")
        defer { end(pid) }
        #expect(!ChildProcess.isEnding(pid))
        #expect(!ChildProcess.isEnding(pid_t.max))
        #expect(comesTrue { !ChildProcess.isStuck(pid) })
        #expect(ChildProcess.isStuck(pid_t.max))
    }
}
