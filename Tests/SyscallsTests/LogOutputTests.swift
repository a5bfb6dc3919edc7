import Glibc
import Syscalls
import Testing

/// ``LogOutput`` counts what is lost for the whole process, so this is one test.
@Suite struct LogOutputTests {
    @Test func nobodyReads() throws {
        var ends: [CInt] = [-1, -1]
        #expect(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        // As much as goes in at once, and then to its end.
        let line = String(repeating: "x", count: 1000) + "\n"
        var written = 0
        while LogOutput.write(line, to: ends[1]) { written += 1 }
        #expect(written > 0)
        #expect(!LogOutput.write(line, to: ends[1]))

        var rest = [UInt8](repeating: 0, count: 1 << 20)
        #expect(read(ends[0], &rest, rest.count) == written * line.utf8.count)
        #expect(LogOutput.write("now\n", to: ends[1]))
        let count = read(ends[0], &rest, rest.count)
        let text = String(decoding: rest[..<count], as: UTF8.self)
        #expect(text == "(2 messages before this one could not be written)\nnow\n")

        // Whoever reads has gone: an error, and no signal as long as that is ignored.
        signal(SIGPIPE, SIG_IGN)
        close(ends[0])
        ends[0] = -1
        #expect(!LogOutput.write("nobody\n", to: ends[1]))
        // Too long for a pipe to take as a whole.
        #expect(pipe(&ends) == 0)
        #expect(LogOutput.write(String(repeating: "y", count: 9000), to: ends[1]))
        let cut = read(ends[0], &rest, rest.count)
        #expect(cut == 4096)
        #expect(String(decoding: rest[..<cut], as: UTF8.self).hasSuffix("yyy...\n"))
    }
}
