import Glibc
import LxcfsHook
import Testing

@testable import EngineSetup

@Suite struct DockerConfigurationTests {
    static let file = DockerConfiguration.usual

    static func installed(_ text: String?, isDefault: Bool = true) throws -> String? {
        let root = try TemporaryRoot()
        if let text { try root.write(text, to: file) }
        try root.install(.docker, isDefault: isDefault)
        return root.read(file)
    }

    static let made = """
        {
            "runtimes": {
                "lxcfs": {
                    "path": "/usr/bin/lxcfs-runtime"
                }
            },
            "default-runtime": "lxcfs"
        }

        """

    @Test(arguments: [nil, "", "\n", "{}\n", "{\n}\n"])
    func emptyFiles(_ text: String?) throws {
        #expect(try Self.installed(text) == Self.made)
    }

    @Test func anotherPathIsReplaced() throws {
        let text = #"{"runtimes": {"lxcfs": {"path": "/old", "runtimeArgs": ["--debug"]}}}"#
        #expect(
            try Self.installed(text, isDefault: false)
                == text.replacing("/old", with: "/usr/bin/lxcfs-runtime"))
    }

    static func fault(_ text: String) throws -> String? {
        let root = try TemporaryRoot()
        try root.write(text, to: file)
        let before = try root.content()
        let error = #expect(throws: SetupError.self) { try root.install(.docker) }
        #expect(try root.content() == before)
        return error?.description.replacing(root.path, with: "")
    }

    @Test func whatIsNoJSONIsLeftAlone() throws {
        #expect(
            try Self.fault("{\n  // mirrors\n  \"debug\": true\n}\n")
                == """
                /etc/docker/daemon.json, line 2, column 3: not JSON: syntax error (JSON has no \
                comments): left as it is
                """)
        #expect(
            try Self.fault("{\"debug\": true,}")
                == """
                /etc/docker/daemon.json, line 1, column 16: not JSON: syntax error: left as it is
                """)
        #expect(try Self.fault("[]")?.contains("expected an object") == true)
        #expect(
            try Self.fault("{\"runtimes\": []}")?.contains("runtimes: expected an object")
                == true)
        #expect(try Self.fault("{\"a\": 1, \"a\": 2}")?.contains("duplicate key") == true)
        #expect(
            try Self.fault("{\"a\": \"\(String(repeating: "x", count: 1 << 20))\"}")?
                .contains("larger than 1 MB") == true)
    }

    @Test func dockerdsOptionsAreNotSaidTwice() throws {
        let root = try TemporaryRoot()
        try root.write(
            "[Service]\n# --add-runtime in a comment\nExecStart=/usr/sbin/dockerd --default-runtime=x\n",
            to: "/etc/systemd/system/docker.service.d/10-x.conf")
        try root.install(.docker)
        try root.uninstall(.docker)
        #expect(throws: SetupError.self) { try root.install(.docker, isDefault: true) }
        #expect(root.read(Self.file) == nil)
    }

    // MARK: - Files

    @Test func aLinkStaysALink() throws {
        let root = try TemporaryRoot()
        try root.write("{}\n", to: "/srv/config/daemon.json")
        try root.write("", to: "/etc/docker/x")
        symlink("/srv/config/daemon.json", root.path + Self.file)
        try root.install(.docker)
        #expect(root.read("/srv/config/daemon.json")?.contains("lxcfs-runtime") == true)
        var status = stat()
        #expect(lstat(root.path + Self.file, &status) == 0)
        #expect(status.st_mode & S_IFMT == S_IFLNK)
        try root.uninstall(.docker)
        #expect(root.read("/srv/config/daemon.json") == "{}\n")
    }

    @Test func aLinkLeadsNowhereElse() throws {
        let root = try TemporaryRoot()
        try root.write("", to: "/etc/docker/x")
        // On this machine there would be such a directory.
        symlink("../../../../../../../../tmp/lxcfs-hook-nosuch.json", root.path + Self.file)
        #expect(throws: SetupError.self) { try root.install(.docker) }
        unlink(root.path + Self.file)
        symlink("daemon.json", root.path + Self.file)
        #expect(throws: SetupError.self) { try root.install(.docker) }
    }

    @Test func modeAndOwnerStay() throws {
        let root = try TemporaryRoot()
        try root.write("{}\n", to: Self.file)
        chmod(root.path + Self.file, 0o640)
        try root.install(.docker)
        var status = stat()
        #expect(stat(root.path + Self.file, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o640)
    }

    @Test func whatIsNoFileIsLeftAlone() throws {
        let root = try TemporaryRoot()
        try root.write("", to: "/etc/docker/x")
        mkfifo(root.path + Self.file, 0o600)
        #expect(throws: SetupError.self) { try root.install(.docker) }
        unlink(root.path + Self.file)
        mkdir(root.path + Self.file, 0o700)
        #expect(throws: SetupError.self) { try root.install(.docker) }
    }
}
