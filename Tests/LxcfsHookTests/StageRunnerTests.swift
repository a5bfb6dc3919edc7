import Control
import Foundation
import Glibc
import Syscalls
import Testing

@testable import LxcfsHook

/// Up to where a container would be entered: needs no privileges.
@Suite struct StageRunnerTests {
    static func run(
        _ stage: Stage, state: String, isRequired: Bool = false,
        runtimeDirectory: String = FakeDaemon.nowhere
    ) throws -> (ExitCode, [String]) {
        var options = Options()
        options.isRequired = isRequired
        options.origin = .daemon(runtimeDirectory: runtimeDirectory)
        let path = FileManager.default.temporaryDirectory.path + "/lxcfs-hook-\(UUID())"
        try state.write(toFile: path, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        var code = ExitCode.success
        let lines = LogTests.lines(.info) { log in
            var runner = StageRunner(options: options, log: log)
            guard let input = try? FileDescriptor.open(path) else { return }
            code = runner.run(stage, input: input)
        }
        return (code, lines)
    }

    static func state(
        _ status: String = "created", pid: Int32 = getpid(), bundle: String = "/nosuch"
    ) -> String {
        """
        {"ociVersion":"1.0.2","id":"web","status":"\(status)","pid":\(pid),
         "bundle":"\(bundle)"}
        """
    }

    static func withBundle(_ config: String, _ body: (String) throws -> Void) throws {
        let bundle = FileManager.default.temporaryDirectory.path + "/lxcfs-hook-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: bundle, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: bundle) }
        try config.write(toFile: bundle + "/config.json", atomically: false, encoding: .utf8)
        try body(bundle)
    }

    static let config = """
        {"ociVersion":"1.0.2","root":{"path":"rootfs"},
         "mounts":[{"destination":"/proc","type":"proc"}],
         "linux":{"namespaces":[{"type":"mount"}],"maskedPaths":["/proc/kcore"]}}
        """

    @Test(arguments: [
        "", "{", "[]", "hello",
        #"{"ociVersion":"1.0.2","id":"web","status":"weird","bundle":"/"}"#,
        state("stopped"), state(pid: 0), state(bundle: "relative"), state(), state(bundle: "/"),
        state().replacing("web", with: "../x"),
    ])
    func badInputMattersIfFilesAreRequired(state: String) throws {
        for isRequired in [false, true] {
            let (code, lines) = try Self.run(
                .createRuntime, state: state, isRequired: isRequired)
            #expect(code == (isRequired ? .badInput : .success))
            #expect(lines.count == 1)
            #expect(lines.first?.hasPrefix(isRequired ? "error " : "warning ") == true)
            #expect(lines.first?.contains("not served: ") == true)
        }
    }

    @Test(arguments: [
        "{}", "[]", #"{"ociVersion":7}"#, #"{"ociVersion":"1","ociVersion":"1"}"#,
        #"{"ociVersion":"1","linux":{"namespaces":[{"type":"mount"}]}}"#,
    ])
    func aConfigurationThatMakesNoSenseMattersIfFilesAreRequired(config: String) throws {
        try Self.withBundle(config) { bundle in
            for isRequired in [false, true] {
                let (code, lines) = try Self.run(
                    .createRuntime, state: Self.state(bundle: bundle), isRequired: isRequired)
                #expect(code == (isRequired ? .badInput : .success))
                #expect(lines.count == 1)
            }
        }
    }

    @Test(arguments: ["", " ", "{", "hello", #"{"ociVersion":"1",}"#, #"{"ociVersion":"1"}}"#])
    func aConfigurationThatIsNoJSONNeverStarts(config: String) throws {
        try Self.withBundle(config) { bundle in
            let (code, lines) = try Self.run(
                .createRuntime, state: Self.state(bundle: bundle))
            #expect(code == .badInput)
            #expect(lines.first?.hasPrefix("error web: not served: ") == true)
        }
    }

    @Test(arguments: [
        state(), state(bundle: "/"), state(pid: 0), state(bundle: "relative"),
        state().replacing("web", with: "a/b"),
    ])
    func whoOptsOutInTheStateIsLeftAloneWhateverElseIsThere(state: String) throws {
        let annotated = state.replacing(
            #""ociVersion""#,
            with: #""annotations":{"io.lxcfs-hook.enable":"false"},"ociVersion""#)
        for stage in [Stage.auto, .createRuntime, .prestart] {
            let (code, lines) = try Self.run(stage, state: annotated)
            #expect(code == .success)
            #expect(lines.count == 1)
            #expect(lines.first?.contains("left alone: annotation ") == true)
            // What is required cannot be undone.
            let (other, _) = try Self.run(stage, state: annotated, isRequired: true)
            #expect(other == .badInput)
        }
    }

    @Test func containersInTheHostsMountNamespaceAreLeftAlone() throws {
        try Self.withBundle(Self.config) { bundle in
            let (code, lines) = try Self.run(
                .auto, state: Self.state(bundle: bundle), isRequired: true)
            #expect(code == .success)
            #expect(
                lines == [
                    "info web: left alone: the container's mount namespace is the hook's own"
                ])
        }
    }

    @Test func anAnnotationThatIsNotUnderstoodCountsOnlyIfFilesAreRequired() throws {
        let config = Self.config.replacing(
            #""root""#, with: #""annotations":{"io.lxcfs-hook.enable":"perhaps"},"root""#)
        try Self.withBundle(config) { bundle in
            let state = Self.state(bundle: bundle)
            let (code, lines) = try Self.run(.createRuntime, state: state)
            #expect(code == .success)
            #expect(lines.first?.hasPrefix("warning web: annotation ") == true)
            let (required, errors) = try Self.run(
                .createRuntime, state: state, isRequired: true)
            #expect(required == .failure)
            #expect(errors.count == 1)
            #expect(errors.first?.hasPrefix("error web: annotation ") == true)
        }
    }

    @Test func poststopUnregisters() throws {
        for stage in [Stage.poststop, .auto] {
            let requests = try FakeDaemon.run({ _ in Reply() }) { directory in
                let (code, lines) = try Self.run(
                    stage, state: Self.state("stopped", pid: 0), runtimeDirectory: directory)
                #expect(code == .success)
                #expect(lines.isEmpty)
            }
            #expect(requests.map(\.op) == [.unregister])
            #expect(requests.first?.id == "web")
        }
    }

    @Test func poststopNeedsNoDaemon() throws {
        let (code, lines) = try Self.run(
            .poststop, state: Self.state("stopped"), isRequired: true)
        #expect(code == .success)
        #expect(lines.isEmpty)
    }

    @Test func aDaemonThatRefusesMattersIfFilesAreRequired() throws {
        for isRequired in [false, true] {
            _ = try FakeDaemon.run({ _ in Reply(error: "busy") }) { directory in
                let (code, lines) = try Self.run(
                    .poststop, state: Self.state("stopped"), isRequired: isRequired,
                    runtimeDirectory: directory)
                #expect(code == (isRequired ? .failure : .success))
                let level = isRequired ? "error" : "warning"
                #expect(lines == ["\(level) web: not unregistered: busy"])
            }
        }
    }
}
