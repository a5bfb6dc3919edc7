import Testing

@testable import LxcfsHook

@Suite struct ArgumentsTests {
    @Test func stages() throws {
        for stage in Stage.allCases {
            #expect(try Arguments([stage.rawValue]).command == .stage(stage))
        }
        #expect(try Arguments(["precreate"]).command == .precreate)
    }

    @Test(arguments: ["createContainer", "startContainer", "poststart"])
    func otherStagesAreRefusedWithTheReason(stage: String) {
        let error = #expect(throws: UsageError.self) { try Arguments([stage]) }
        #expect(error?.description.contains("createRuntime") == true)
        #expect(error?.description.hasPrefix("\(stage) is not a stage for this hook: ") == true)
    }

    @Test func everyOption() throws {
        let arguments = try Arguments([
            "--required", "createRuntime", "--files", "uptime, cpuinfo,,uptime",
            "--cpus=cpuset", "--unmasked", "--host-pid", "--runtime-dir=/run/x", "--no-syslog",
            "--log-level", "debug",
        ])
        var options = Options()
        options.files = [.cpuinfo, .uptime]
        options.cpus = .cpuset
        options.isRequired = true
        options.attachesUnmasked = true
        options.attachesHostPID = true
        options.origin = .daemon(runtimeDirectory: "/run/x")
        options.usesSyslog = false
        options.logLevel = .debug
        #expect(arguments.options == options)
    }

    @Test func freezing() throws {
        #expect(try Arguments(["attach", "7"]).options.freezes)
        #expect(try !Arguments(["attach", "7", "--no-freeze"]).options.freezes)
        #expect(try !Arguments(["attach", "--all", "--no-freeze"]).options.freezes)
        #expect(throws: UsageError.self) { try Arguments(["detach", "7", "--no-freeze"]) }
        #expect(throws: UsageError.self) { try Arguments(["createRuntime", "--no-freeze"]) }
    }

    @Test func defaults() throws {
        let options = try Arguments(["auto"]).options
        #expect(options.files == VirtualFile.allCases)
        #expect(options.origin == .daemon(runtimeDirectory: "/run/lxcfs"))
        #expect(!options.isRequired)
        #expect(options.cpus == nil)
    }

    @Test func attachAndDetach() throws {
        #expect(try Arguments(["attach", "7"]).command == .attach(pid: 7, id: nil))
        #expect(try Arguments(["attach", "--all"]).command == .attachAll)
        #expect(
            try Arguments(["detach", "--id", "web", "7"]).command
                == .detach(pid: 7, id: "web"))
        #expect(try Arguments(["detach", "--all"]).command == .detachAll)
    }

    @Test func checkLooksIntoTheUsualDirectories() throws {
        #expect(
            try Arguments(["check"]).command
                == .check(
                    hookDirectories: [
                        "/usr/share/containers/oci/hooks.d", "/etc/containers/oci/hooks.d",
                        "/usr/share/lxcfs-hook/hooks.d", "/etc/lxcfs-hook/hooks.d",
                    ], json: false))
        #expect(
            try Arguments(["check", "--hooks-dir", "/a", "--hooks-dir=/b"]).command
                == .check(hookDirectories: ["/a", "/b"], json: false))
    }

    @Test func helpWinsOverWhatIsMissing() throws {
        #expect(try Arguments(["--help"]).command == .help)
        #expect(try Arguments(["attach", "-h"]).command == .help)
        #expect(try Arguments(["--version"]).command == .version)
    }

    @Test func helpNamesEveryExitCodeAndFile() {
        for code in ExitCode.allCases { #expect(Help.text.contains("\n  \(code.rawValue)  ")) }
        for file in VirtualFile.allCases { #expect(Help.text.contains(file.rawValue)) }
        #expect(Help.text.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }

    @Test(arguments: [
        [], ["frobnicate"], ["createRuntime", "7"], ["attach"], ["attach", "0"],
        ["attach", "-1"], ["attach", "1", "2"], ["attach", "--all", "1"],
        ["detach", "--all", "1"],
        ["detach", "--all", "--id", "x"], ["detach", "--all", "--lxcfs-root", "/x"],
        ["detach", "--all", "--cpus", "quota"], ["check", "--all"],
        ["attach", "--all", "--id", "x"], ["attach", "--all", "--lxcfs-root", "/x"],
        ["attach", "99999999999"],
        ["createRuntime", "--id", "x"], ["attach", "1", "--id", "a/b"],
        ["attach", "1", "--id", ""], ["createRuntime", "--files", "meminfo,bogus"],
        ["createRuntime", "--files="], ["createRuntime", "--files"],
        ["createRuntime", "--cpus", "all"], ["createRuntime", "--log-level", "loud"],
        ["createRuntime", "--runtime-dir", "run"], ["createRuntime", "--required=no"],
        ["createRuntime", "--lxcfs-root", "/a", "--runtime-dir", "/b"],
        ["createRuntime", "--lxcfs-root", "/a", "--cpus", "quota"],
        ["createRuntime", "--hooks-dir", "/a"], ["createRuntime", "--frob"],
    ])
    func nonsense(words: [String]) {
        #expect(throws: UsageError.self) { try Arguments(words) }
    }
}
