import Testing

@testable import LxcfsHook

/// Where the bundle is, by the command line of the runtime.
@Suite struct RuntimeArgumentsTests {
    static func bundle(_ words: String..., id: String = "web") -> String? {
        let line = words.map { $0 + "\0" }.joined()
        return RuntimeArguments(commandLine: Array(line.utf8)).bundle(of: id)
    }

    @Test func asEnginesNameIt() {
        #expect(
            Self.bundle(
                "/usr/bin/crun", "--systemd-cgroup", "create", "--bundle", "/b/userdata",
                "--pid-file", "/b/pidfile", "web") == "/b/userdata")
        #expect(Self.bundle("runc", "create", "--bundle=/b", "web") == "/b")
        #expect(Self.bundle("runc", "run", "-b", "/b", "web") == "/b")
        #expect(Self.bundle("runc", "run", "-b=/b", "web") == "/b")
    }

    @Test func thatOfAnotherContainerIsNotTaken() {
        #expect(Self.bundle("crun", "create", "--bundle", "/b", "other") == nil)
        #expect(Self.bundle("web", "create", "--bundle", "/b") == nil)
    }

    @Test func whatIsNotThere() {
        #expect(Self.bundle("crun", "run", "web") == nil)
        #expect(Self.bundle("crun", "run", "web", "--bundle") == nil)
        #expect(Self.bundle("crun", "run", "--bundle", "here", "web") == nil)
        #expect(RuntimeArguments(commandLine: []).bundle(of: "web") == nil)
    }
}
