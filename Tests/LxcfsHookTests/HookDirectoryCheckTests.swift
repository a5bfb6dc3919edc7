import FoundationEssentials
import Glibc
import Testing

@testable import LxcfsHook

@Suite struct HookDirectoryCheckTests {
    static let good = """
        {"version":"1.0.0","hook":{"path":"PROGRAM","args":["lxcfs-hook","auto"],
         "env":["PATH=/bin"],"timeout":10},"when":{"always":true},
         "stages":["createRuntime","poststop"]}
        """

    /// The findings on files of one directory, with its path shortened.
    static func findings(
        _ files: [String: String], mode: mode_t = 0o755
    ) throws -> [String] {
        let directory = FileManager.default.temporaryDirectory.path + "/lxcfs-hook-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let program = directory + "/lxcfs-hook"
        close(creat(program, 0o600))
        chmod(program, mode)
        for (name, content) in files {
            let content = content.replacing("PROGRAM", with: program)
            try content.write(
                toFile: "\(directory)/\(name)", atomically: false, encoding: .utf8)
        }
        return HookDirectoryCheck(directories: [directory, directory + "/nosuch"]).findings()
            .map { $0.description.replacing(directory, with: "DIR") }
    }

    static func fails(_ text: String) throws -> Bool {
        try findings(["a.json": text]).contains { $0.hasPrefix("FAIL") }
    }

    @Test(.enabled(if: geteuid() == 0, "needs root, who must own the program"))
    func good() throws {
        #expect(
            try Self.findings(["a.json": Self.good, "note.txt": "lxcfs-hook"]) == [
                "ok   DIR/a.json: for all containers, stages createRuntime, poststop"
            ])
    }

    @Test func none() throws {
        let findings = try Self.findings(["x.json": "{ not about us"])
        #expect(findings == ["warn no hook file for lxcfs-hook in DIR, DIR/nosuch"])
    }

    @Test func programs() throws {
        #expect(try Self.fails(Self.good.replacing("PROGRAM", with: "/nosuch/lxcfs-hook")))
        for mode: mode_t in [0o644, 0o775, 0o757] {
            let findings = try Self.findings(["a.json": Self.good], mode: mode)
            #expect(findings.contains { $0.hasPrefix("FAIL DIR/a.json: DIR/lxcfs-hook ") })
        }
    }

    @Test(arguments: [
        ("\"timeout\":10", "\"timeout\":null"), ("[\"createRuntime\"", "[\"poststart\""),
        ("\"auto\"", "\"createRuntime\""), ("\"auto\"", "\"poststop\""),
        ("\"auto\"", "\"check\""), ("\"auto\"", "\"auto\",\"--frob\""), ("\"1.0.0\"", "\"2\""),
        ("}", ""),
    ])
    func faults(part: String, replacement: String) throws {
        #expect(try Self.fails(Self.good.replacing(part, with: replacement)))
    }

    @Test func twoForAll() throws {
        let findings = try Self.findings(["a.json": Self.good, "b.json": Self.good])
        #expect(
            findings.contains(
                "FAIL more than one file is for all containers: DIR/a.json, DIR/b.json"))
    }

    @Test func shippedFiles() throws {
        let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        for name in ["50-lxcfs-hook.json", "50-lxcfs-hook-annotated.json"] {
            let content = try String(
                contentsOfFile: "/\(repository)/hooks.d/\(name)", encoding: .utf8)
            let findings = try Self.findings([
                name: content.replacing("/usr/libexec/oci/lxcfs-hook", with: "PROGRAM")
            ])
            let faults = findings.filter {
                !$0.hasPrefix("ok") && !$0.contains("is not root's")
            }
            #expect(faults.isEmpty)
        }
    }
}
