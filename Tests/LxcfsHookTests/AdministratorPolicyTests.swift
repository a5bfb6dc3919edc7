import Foundation
import Glibc
import Testing

@testable import LxcfsHook

@Suite struct AdministratorPolicyTests {
    static func policy(_ json: String) throws -> AdministratorPolicy {
        try AdministratorPolicy(json: Array(json.utf8))
    }

    @Test func whatItSays() throws {
        #expect(try Self.policy("{}") == AdministratorPolicy())
        let policy = try Self.policy(
            #"{"required": true, "annotations": ["io.lxcfs-hook.cpus"]}"#)
        #expect(policy.required == true)
        #expect(policy.annotations == ["io.lxcfs-hook.cpus"])
    }

    @Test(arguments: [
        "", "[]", "{", #"{"requierd": true}"#, #"{"required": "yes"}"#, #"{"required": null}"#,
        #"{"annotations": ["cpus"]}"#, #"{"annotations": "io.lxcfs-hook.cpus"}"#,
        #"{"annotations": ["io.lxcfs-hook.*"]}"#, #"{"excuses": ["hostPID"]}"#,
        #"{"excuses": "unmasked"}"#, #"{"excuses": ["unmasked "]}"#,
        #"{"required": true, "required": false}"#,
    ])
    func whatIsNotUnderstoodIsRefused(json: String) {
        #expect(throws: (any Error).self) { try Self.policy(json) }
    }

    static func wishes(
        _ annotations: [String: String], isRequired: Bool = false, allowed: [String]? = nil
    ) -> ContainerWishes {
        var options = Options()
        options.isRequired = isRequired
        options.allowedAnnotations = allowed
        return options.wishes(
            Dictionary(
                uniqueKeysWithValues: annotations.map { (ContainerWishes.prefix + $0, $1) }))
    }

    @Test func withoutAPolicyAllCount() {
        let wishes = Self.wishes(["enable": "false", "files": "swaps", "cpus": "cpuset"])
        #expect(wishes.isEnabled == false && wishes.files == [.swaps])
        #expect(wishes.cpus == .cpuset && wishes.ignored.isEmpty)
    }

    @Test(arguments: [
        "enable": "false", "files": "swaps", "cpus": "cpuset", "sysinfo": "no",
        "affinity": "0", "time": "off", "unmasked": "false", "host-pid": "false",
    ])
    func whatIsRequiredCannotBeUndone(name: String, value: String) {
        let wishes = Self.wishes([name: value], isRequired: true)
        var nothing = ContainerWishes([:])
        nothing.ignored = [ContainerWishes.prefix + name]
        #expect(wishes == nothing)
    }

    @Test(arguments: ["enable", "sysinfo", "affinity", "time", "unmasked", "host-pid"])
    func moreThanIsRequiredMayBeAskedFor(name: String) {
        let wishes = Self.wishes([name: "true"], isRequired: true)
        #expect(wishes == ContainerWishes([ContainerWishes.prefix + name: "true"]))
    }

    @Test func theAdministratorsListDecides() {
        let wishes = Self.wishes(
            ["enable": "false", "cpus": "cpuset", "files": "nonsense"], isRequired: true,
            allowed: ["io.lxcfs-hook.enable"])
        #expect(wishes.isEnabled == false && wishes.cpus == nil && wishes.faults.isEmpty)
        #expect(wishes.ignored == ["io.lxcfs-hook.cpus", "io.lxcfs-hook.files"])
        #expect(Self.wishes(["enable": "false"], allowed: []).isEnabled == nil)
    }

    // MARK: - The file

    /// - Returns: the options, or why there are none.
    static func apply(
        _ json: String?, mode: mode_t = 0o644, directoryMode: mode_t = 0o755
    ) throws -> (options: Options, fault: String?) {
        let directory = FileManager.default.temporaryDirectory.path + "/policy-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var options = Options()
        let path = directory + "/policy.json"
        options.policyPath = path
        if let json {
            try json.write(toFile: path, atomically: false, encoding: .utf8)
            chmod(path, mode)
        }
        chmod(directory, directoryMode)
        do throws(InputError) {
            try PolicyFile.apply(to: &options)
            return (options, nil)
        } catch {
            return (options, error.description)
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func aFileOfRootCounts() throws {
        let (options, fault) = try Self.apply(#"{"required": true, "annotations": []}"#)
        #expect(fault == nil)
        #expect(options.isRequired && options.allowedAnnotations == [])
        #expect(try Self.apply("{}").options.allowedAnnotations == nil)
    }

    @Test(.enabled(if: geteuid() == 0)) func itsExcusesDecide() throws {
        let all = try Self.apply("{}").options
        #expect(all.excuses == Excuse.allCases)
        #expect(!all.attachesHostPID && !all.attachesUnmasked)
        let none = try Self.apply(#"{"excuses": []}"#).options
        #expect(none.excuses.isEmpty && none.attachesHostPID && none.attachesUnmasked)
        let one = try Self.apply(#"{"excuses": ["host-pid"]}"#).options
        #expect(one.excuses == [.hostPID] && !one.attachesHostPID && one.attachesUnmasked)
    }

    @Test(.enabled(if: geteuid() == 0)) func whoOwnsTheWayToItDecides() throws {
        let top = FileManager.default.temporaryDirectory.path + "/way-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: top + "/theirs/policy", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: top) }
        try "{}".write(
            toFile: top + "/theirs/policy/policy.json", atomically: false, encoding: .utf8)
        try FileManager.default.createSymbolicLink(
            atPath: top + "/link", withDestinationPath: "theirs/policy")
        for way in ["theirs/policy", "link"] {
            var options = Options()
            options.policyPath = "\(top)/\(way)/policy.json"
            chown(top + "/theirs", 0, 0)
            try PolicyFile.apply(to: &options)
            chown(top + "/theirs", 1234, 0)
            #expect(throws: InputError.self) { try PolicyFile.apply(to: &options) }
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func aFileThatOthersMayWriteIsRefused() throws {
        #expect(try Self.apply("{}", mode: 0o664).fault?.contains("can write it") == true)
        #expect(try Self.apply("{}", mode: 0o602).fault?.contains("can write it") == true)
        #expect(
            try Self.apply("{}", directoryMode: 0o777).fault?.contains("can replace") == true)
    }

    @Test func aFileThatIsNamedMustBeThere() throws {
        #expect(try Self.apply(nil).fault?.contains("--policy") == true)
        #expect(try Self.apply("nonsense").fault != nil)
        var options = Options()
        options.policyPath = "/dev/null"
        #expect(throws: InputError.self) { try PolicyFile.apply(to: &options) }
    }
}
