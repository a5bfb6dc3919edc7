import Control
import Foundation
import JSON
import OCISpec
import Testing

@testable import LxcfsHook

@Suite struct AdaptedConfigTests {
    private func file(_ name: String) throws -> String {
        let directory = try #require(Bundle.module.resourcePath)
        return try String(contentsOfFile: "\(directory)/Fixtures/\(name)", encoding: .utf8)
    }

    /// Of a daemon that has an agent.
    private static let withAgent: @Sendable (Request) -> Reply = { _ in
        var status = DaemonStatus()
        status.listeners = 0
        var reply = Reply()
        reply.status = status
        return reply
    }

    private func adapt(
        _ json: String, directory: String, hook: String = "/bin/true",
        containers: RuntimeConfiguration.Containers = .all, isRequired: Bool = false
    ) throws -> String? {
        var options = Options()
        options.origin = .daemon(runtimeDirectory: directory)
        options.isRequired = isRequired
        let adapted = AdaptedConfig(
            options: options, containers: containers,
            hook: HookEntries(path: hook, arguments: [], options: options),
            runtime: RuntimeChoice(path: "/usr/sbin/runc"),
            log: Log(level: .error) { _, _ in })
        return try adapted.make(from: Array(json.utf8)).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// Letter by letter; after an intended change `UPDATE_GOLDEN=1` writes them.
    @Test(arguments: ["docker", "containerd", "podman"])
    func goldenFilesOfEngines(_ engine: String) throws {
        let json = try file("\(engine).json")
        _ = try FakeDaemon.run(Self.withAgent) { (directory) throws in
            let changed = try #require(try adapt(json, directory: directory))
            let shown = changed.replacingOccurrences(of: directory, with: "/run/lxcfs")
                .replacingOccurrences(of: "/bin/true", with: RuntimeConfiguration.usualHook)
            if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
                let here = URL(filePath: #filePath).deletingLastPathComponent()
                try shown.write(
                    to: here.appending(path: "Fixtures/\(engine).adapted.json"),
                    atomically: true,
                    encoding: .utf8)
            } else {
                #expect(try shown == file("\(engine).adapted.json"))
            }
            // Once is enough.
            #expect(try adapt(changed, directory: directory) == nil)
        }
    }

    @Test func withoutADaemonThereIsNoAgent() throws {
        let json = try file("docker.json")
        let changed = try #require(try adapt(json, directory: "/nowhere"))
        let before = try Config(json: Array(json.utf8))
        let after = try Config(json: Array(changed.utf8))
        #expect(after.linux == before.linux)
        #expect(after.hooks?.createRuntime?.count == 1)
        #expect(after.hooks?.prestart == before.hooks?.prestart)
        #expect(throws: PrecreateError.self) {
            try adapt(json, directory: "/nowhere", isRequired: true)
        }
    }

    /// The container would not start.
    @Test(arguments: ["docker", "podman"])
    func anAgentThatHasGoneIsTakenOut(_ engine: String) throws {
        let json = try file("\(engine).json")
        _ = try FakeDaemon.run(Self.withAgent) { (directory) throws in
            let first = try #require(try adapt(json, directory: directory))
            #expect(first.contains("seccomp.sock"))
            try FileManager.default.removeItem(atPath: "\(directory)/control.sock")
            let second = try #require(try adapt(first, directory: directory))
            #expect(!second.contains("seccomp.sock"))
            #expect(!second.contains("SCMP_ACT_NOTIFY"))
            #expect(!second.contains("LXCFS_RUNTIME_ADDED"))
            #expect(try adapt(second, directory: directory) == nil)
        }
    }

    @Test func aTimeNamespaceOfAFormerRunBeginsAnew() throws {
        let json =
            #"{"ociVersion":"1.2.0","root":{"path":"r"},"linux":{"namespaces":["#
            + #"{"type":"mount"},{"type":"pid"}],"maskedPaths":["/proc/kcore"]}}"#
        let hook = HookEntries(path: "/h", arguments: [], options: Options())
        var (text, found) = try AdaptedConfig.parse(Array(json.utf8))
        var config = found
        TimeNamespace(boottime: 5_000_000_000).add(to: &config)
        var mark = AddedMark()
        mark.boottime = config.linux?.timeOffsets?["boottime"]
        hook.add(to: &config, mark: mark)
        let change = try #require(try ConfigChange.from(found, to: config))
        (text, found) = try AdaptedConfig.parse(try text.changed(change))
        #expect(found.linux?.timeOffsets?["boottime"]?.secs == -5)

        // Later.
        config = found
        let environment = found.hooks?.createRuntime?.first?.env
        #expect(AddedMark(environment: environment) == mark)
        AddedMark(environment: environment).remove(from: &config, agentSocket: nil)
        #expect(config.namespace(.time) == nil)
        TimeNamespace(boottime: 9_000_000_000).add(to: &config)
        mark.boottime = config.linux?.timeOffsets?["boottime"]
        hook.add(to: &config, mark: mark)
        let later = try #require(try ConfigChange.from(found, to: config))
        let again = try Config(json: try text.changed(later))
        #expect(again.linux?.timeOffsets?["boottime"]?.secs == -9)
        #expect(again.linux?.namespaces?.count == 3)
        #expect(again.hooks?.createRuntime?.count == 1)

        // Another's is left alone.
        config.linux?.timeOffsets?["boottime"]?.secs = -7
        let others = config
        mark.remove(from: &config, agentSocket: nil)
        #expect(config == others)
    }

    private func config(_ members: String) -> String {
        #"{"ociVersion":"1.0.2","root":{"path":"r"},"linux":{"namespaces":[{"type":"mount"},"#
            + #"{"type":"pid"}],"maskedPaths":["/proc/kcore"]}\#(members)}"#
    }

    @Test(
        arguments: [
            #","annotations":{"io.lxcfs-hook.enable":"false"}"#,
            #","annotations":{"io.lxcfs-hook.enable":"off","io.lxcfs-hook.sysinfo":"true"}"#,
        ])
    func whoOptsOutIsLeftAlone(_ members: String) throws {
        #expect(try adapt(config(members), directory: "/nowhere") == nil)
    }

    @Test func onlyWhoAsksIsServedIfThatIsConfigured() throws {
        #expect(try adapt(config(""), directory: "/nowhere", containers: .annotated) == nil)
        for key in ["enable", "sysinfo", "affinity", "time"] {
            let members = #","annotations":{"io.lxcfs-hook.\#(key)":"true"}"#
            #expect(
                try adapt(config(members), directory: "/nowhere", containers: .annotated) != nil
            )
        }
    }

    @Test(
        arguments: [
            #","hooks":{"prestart":[{"path":"/usr/libexec/oci/lxcfs-hook"}],"#
                + #""poststop":[{"path":"/x/lxcfs-hook"}]}"#,
            #","hooks":{"createRuntime":[{"path":"/a"},{"path":"/x/lxcfs-hook"}],"#
                + #""poststop":[{"path":"/bin/true"}]}"#,
        ])
    func hooksThatAreThereAreNotAddedAgain(_ members: String) throws {
        #expect(try adapt(config(members), directory: "/nowhere") == nil)
    }

    /// runc takes the last of keys that differ in case.
    @Test(
        arguments: [
            #","Hooks":{}"#, #","hooks":{"createruntime":[]}"#, #","hooks":{"PostStop":[]}"#,
            #","LINUX":{}"#,
        ])
    func keysOfAnotherCaseAreNotTouched(_ members: String) {
        #expect(throws: PrecreateError.self) {
            try adapt(config(members), directory: "/nowhere")
        }
    }

    @Test func aHookThatIsNotThereIsNotAdded() {
        #expect(throws: PrecreateError.self) {
            try adapt(config(""), directory: "/nowhere", hook: "/nowhere/lxcfs-hook")
        }
    }

    @Test func theConfigurationIsReadStrictly() throws {
        func read(_ json: String) throws -> RuntimeConfiguration {
            try RuntimeConfiguration(json: Array(json.utf8))
        }
        let all = try read(
            #"{"runtime":"crun","containers":"annotated","hook":"/h","required":true,"#
                + #""options":["--affinity","--timeout","2"]}"#)
        #expect(all.hookArguments == ["--timeout", "2", "--required"])
        let options = try all.hookOptions()
        #expect(
            options.isRequired && options.intercepted == .affinity && options.timeout == 2000)
        #expect(try read("{}").hookOptions() == Options())
        for wrong in [
            #"{"nonsense":1}"#, #"{"runtime":"../runc"}"#, #"{"runtime":""}"#, #"{"hook":"h"}"#,
            #"{"containers":"some"}"#, #"{"options":"--affinity"}"#, "[]", "",
        ] {
            #expect(throws: DocumentError.self) { try read(wrong) }
        }
        for wrong in ["--nonsense", "--help", "attach", "--id=x", "--runtime=runc"] {
            #expect(throws: UsageError.self) {
                try read(#"{"options":["\#(wrong)"]}"#).hookOptions()
            }
        }
    }
}
