import Glibc
import Testing

@testable import Syscalls

@Suite struct ProgramOutputTests {
    private func output(
        _ script: String, limit: Int = 1000, timeout: CInt = 5000
    ) throws(SystemError) -> String {
        String(
            decoding: try programOutput(
                "/bin/sh", ["-c", script], limit: limit, timeout: timeout), as: UTF8.self)
    }

    private func errno(
        _ script: String, limit: Int = 1000, timeout: CInt = 5000
    ) -> CInt {
        do {
            _ = try output(script, limit: limit, timeout: timeout)
            return 0
        } catch {
            return error.errno
        }
    }

    @Test func isStandardOutputAlone() throws {
        #expect(try output("echo out; echo err >&2; cat") == "out\n")
        #expect(try output("true") == "")
    }

    @Test func noDescriptorIsInherited() throws {
        let file = try FileDescriptor.open("/dev/null")
        #expect(try output("[ -e /proc/self/fd/\(file.raw) ] || echo closed") == "closed\n")
    }

    @Test func whatGoesWrong() {
        #expect(errno("exit 3") == EPROTO)
        #expect(errno("kill -9 $$") == EPROTO)
        #expect(errno("while :; do echo 0123456789; done") == EFBIG)
        #expect(errno("sleep 100", timeout: 50) == ETIMEDOUT)
        // Closed output is not the end yet.
        #expect(errno("exec >&-; sleep 100", timeout: 50) == ETIMEDOUT)
        #expect(throws: SystemError.self) {
            try programOutput("/nosuch", [], limit: 1, timeout: 1000)
        }
    }
}
