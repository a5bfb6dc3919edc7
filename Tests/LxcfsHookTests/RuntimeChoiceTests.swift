import Foundation
import Testing

@testable import LxcfsHook

@Suite struct RuntimeChoiceTests {
    private func line(_ words: String...) -> PodmanCommandLine? {
        PodmanCommandLine(words: words.map { $0[...] })
    }

    @Test func whatPodmanWasToldToDo() throws {
        let run = try #require(
            line(
                "/usr/bin/podman", "--log-level", "debug", "--syslog", "--runtime=/opt/crun",
                "run", "--runtime", "x", "image"))
        #expect(run.command == "run")
        #expect(run.runtime == "/opt/crun")
        #expect(line("podman", "--runtime", "runc", "container", "run", "i")?.command == "run")
        #expect(line("podman", "--root", "run", "start", "x")?.command == "start")
        #expect(line("podman", "system", "service")?.command == "system")
        #expect(line("podman")?.command == nil)
        #expect(line("podman", "--runtime") == line("podman"))
        #expect(line("bash", "podman", "run") == nil)
        #expect(PodmanCommandLine(words: []) == nil)
    }

    private func configuration(_ text: String = "") throws -> PodmanConfiguration {
        let path = NSTemporaryDirectory() + "conf-" + UUID().uuidString + ".conf"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return PodmanConfiguration(paths: [path])
    }

    private func candidates(
        _ parent: PodmanCommandLine?, option: String? = nil, _ text: String = ""
    ) throws -> [String] {
        RuntimeChoice(option: option, parent: parent, configuration: try configuration(text))
            .candidates
    }

    @Test func whichRuntimesItMayBe() throws {
        let run = line("podman", "run", "i")
        let named = line("podman", "--runtime", "/opt/runc", "run", "i")
        let start = line("podman", "--runtime", "/opt/runc", "start", "c")
        let text = "[engine]\n#runtime = \"runc\"\n runtime = \"youki\" # not \"crun\"\n"
        // A new container: the command line, the hook's, the configuration's.
        #expect(try candidates(named, option: "crun", text) == ["/opt/runc"])
        #expect(try candidates(run, option: "crun", text) == ["crun"])
        #expect(try candidates(run, text) == ["youki"])
        #expect(try candidates(run).count <= 1)
        // One that was made before, with what only podman knows.
        let any = try candidates(start, text)
        #expect(any.prefix(2) == ["/opt/runc", "youki"])
        #expect(Set(any.dropFirst(2)).isSubset(of: ["crun", "runc"]))
        #expect(try candidates(start, option: "crun", text) == ["crun"])
        #expect(try candidates(nil, option: "/opt/crun") == ["/opt/crun"])
    }

    @Test func whereTheyAre() throws {
        let text =
            "[engine.runtimes]\n\"mine\" = [\n  \"/nosuch/mine\",\n  \"/bin/sh\",\n]\nx = [\"/y\"]\n"
        #expect(
            try configuration(text).paths(ofRuntime: "mine") == ["/nosuch/mine", "/bin/sh"])
        #expect(try configuration(text).paths(ofRuntime: "other") == [])
        let run = line("podman", "--runtime", "mine", "run", "i")
        let choice = RuntimeChoice(
            option: nil, parent: run, configuration: try configuration(text))
        #expect(try choice.all() == ["/bin/sh"])
        let missing = RuntimeChoice(
            option: "/nosuch/crun", parent: nil, configuration: try configuration())
        #expect(throws: PrecreateError.self) { try missing.all() }
    }

    @Test func whoIsNotMadeToHandOverListeners() throws {
        func objection(_ name: String) throws -> String? {
            RuntimeChoice(option: name, parent: nil, configuration: try configuration())
                .listenerObjection
        }
        #expect(try objection("crun") == nil)
        #expect(try objection("/opt/bin/runc") == nil)
        #expect(try objection("kata-runtime")?.contains("kata-runtime") == true)
        #expect(try objection("/usr/bin/runsc") != nil)
    }

    @Test(
        arguments: [
            ("crun version 1.8.1", false), ("crun version 1.8.4", true),
            ("crun version 1.28", true), ("crun version 1.28-dirty", true),
            ("crun version 0.21", false), ("crun version 2", true), ("crun version", false),
            ("crun version x", false), ("runc version 1.3.6+ds1", false), ("", false),
        ])
    func crunIsKnownByItsVersion(_ line: String, _ makes: Bool) {
        #expect(RuntimeProgram.hasTime(version: line[...]) == makes)
    }

    @Test(
        arguments: [
            // runc 1.3.6 and 1.1.15, shortened.
            (
                #"{"ociVersionMin":"1.0.0","linux":{"namespaces":["cgroup","ipc","time"]}}"#,
                true
            ),
            (#"{"ociVersionMin":"1.0.0","linux":{"namespaces":["cgroup","ipc"]}}"#, false),
            (#"{"linux":{}}"#, false), ("{}", false), ("unknown command features", false),
            (#"{"linux":{"namespaces":"time"}}"#, false), ("", false),
        ])
    func othersByTheirFeatures(_ text: String, _ makes: Bool) {
        #expect(RuntimeProgram.hasTime(features: Array(text.utf8)) == makes)
    }

    @Test func aProgramThatSaysNothing() {
        #expect(
            RuntimeProgram(path: "/bin/false").timeObjection?.contains("/bin/false") == true)
        #expect(RuntimeProgram(path: "/nosuch/crun").timeObjection != nil)
        // It answers, and is no runtime.
        #expect(RuntimeProgram(path: "/bin/echo").timeObjection?.contains("echo") == true)
    }
}
