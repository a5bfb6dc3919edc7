import Cgroups
import Glibc
import KernelText
import ProcView
import Syscalls
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper
@testable import LxcfsPageCache

@Suite struct SharedTextTests {
    /// A host's file that the test may change, in a directory that is removed at the end.
    private func withFile(_ body: (HostFile, _ write: (String) throws -> Void) throws -> Void)
        throws
    {
        var template = Array("/tmp/lxcfs-shared-XXXXXX".utf8CString)
        let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        let path = directory + "/file"
        defer {
            unlink(path)
            rmdir(directory)
        }
        let write = { (text: String) in
            try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
                .write(text.utf8)
        }
        try write("one")
        try body(HostFile("file", in: FileDescriptor.open(directory, O_RDONLY)), write)
    }

    @Test func theSameTextIsRenderedOnce() throws {
        try withFile { file, write in
            let shared = SharedText()
            let out = TextBuffer()
            var rendered = 0
            func append(now: UInt64, _ cpus: CPUList? = nil) throws -> String {
                out.clear()
                try shared.append(of: file, now: now, maxAge: 10, for: cpus, to: out) {
                    rendered += 1
                    $1.append($0)
                }
                return out.string
            }
            #expect(try append(now: 0) == "one")
            #expect(try append(now: 20) == "one")
            #expect(rendered == 1)
            try write("three")
            #expect(try append(now: 25) == "one", "within the age")
            #expect(try append(now: 40) == "three")
            #expect(rendered == 2)
            #expect(try append(now: 41, CPUList([0])) == "three")
            #expect(rendered == 3)
            #expect(try append(now: 42, CPUList([0, 1])) == "three")
            #expect(rendered == 4)
        }
    }
}
