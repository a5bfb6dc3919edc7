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
        #expect(waitpid(pid, nil, WNOHANG) == 0)
    }

    @Test(.enabled(if: access("/usr/bin/python3", X_OK) == 0)) func alive() throws {
        let pid = try start("import time; time.sleep(60)")
        defer { end(pid) }
        #expect(!ChildProcess.isEnding(pid))
        #expect(!ChildProcess.isEnding(pid_t.max))
    }
}
