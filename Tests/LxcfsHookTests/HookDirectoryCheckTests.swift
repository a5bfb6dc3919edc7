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
        _ files: [String: String], mode: mode_t = 0o755, isShared: Bool = false
    ) throws -> [String] {
        let directory = FileManager.default.temporaryDirectory.path + "/lxcfs-hook-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let program = directory + "/lxcfs-hook"
        close(creat(program, 0o600))
        chmod(program, mode)
        for (name, content) in files {
            let content = content.replacing("PROGRAM", with: program).replacing(
                "DIRECTORY", with: directory)
            try content.write(
                toFile: "\(directory)/\(name)", atomically: false, encoding: .utf8)
        }
        return HookDirectoryCheck(
            directories: [directory, directory + "/nosuch"],
            shared: isShared ? [directory] : [],
            podman: PodmanConfiguration(paths: [directory + "/podman.conf"])
        ).findings()
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
        let findings = try Self.findings(["x.txt": "{ not about us"])
        #expect(findings == ["warn no hook file for lxcfs-hook in DIR, DIR/nosuch"])
    }

    static let foreign = """
        {"version":"1.0.0","hook":{"path":"/bin/sh"},"when":{"always":true},
         "stages":["createRuntime"]}
        """

    static func foreignFindings(_ text: String, isShared: Bool = false) throws -> [String] {
        try findings(["x.json": text], isShared: isShared).filter {
            !$0.contains("no hook file for")
        }
    }

    @Test func filesOfOthersThatEnginesAccept() throws {
        #expect(try Self.foreignFindings(Self.foreign, isShared: true).isEmpty)
        for (part, replacement) in [
            ("\"1.0.0\"", "\"0.1.0\""), ("[\"createRuntime\"]", "[]"), ("/bin/sh", "bin/sh"),
            ("\"version\":\"1.0.0\",", ""), ("\"always\":true", ""),
            ("{\"version\":", "{\"version\":\"1.0.0\",\"version\":"), ("/bin/sh", "/no/such"),
        ] {
            let text = Self.foreign.replacing(part, with: replacement)
            let findings = try Self.foreignFindings(text, isShared: true)
            #expect(findings.allSatisfy { $0.hasPrefix("warn ") }, "\(text): \(findings)")
        }
    }

    /// Each of them was tried with podman 4.3 and its build.
    @Test(arguments: [
        ("\"1.0.0\"", "\"2.0.0\""), ("createRuntime", "create"),
        (",\n \"stages\":[\"createRuntime\"]", ""),
        ("},", ","), (foreign, ""), (foreign, "{"), ("/bin/sh", ""),
    ])
    func filesOfOthersWithWhichNoContainerStarts(part: String, replacement: String) throws {
        let text = Self.foreign.replacing(part, with: replacement)
        let findings = try Self.foreignFindings(text)
        #expect(findings.count == 1)
        #expect(findings.first?.hasPrefix("FAIL ") == true)
        #expect(findings.first?.contains("start no container") == true)
    }

    @Test func precreateInADirectoryThatOthersRead() throws {
        for text in [Self.foreign, Self.good.replacing(#","poststop""#, with: "")] {
            let text = text.replacing("createRuntime", with: "precreate").replacing(
                "\"auto\"", with: "\"precreate\"")
            let findings = try Self.findings(["x.json": text], isShared: true)
            #expect(
                findings.contains {
                    $0.hasPrefix(
                        "FAIL DIR/x.json: buildah (podman build) and CRI-O do not know")
                })
            let alone = try Self.findings(["x.json": text])
            #expect(!alone.contains { $0.contains("buildah") })
        }
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

    @Test func whatPodmanIsNotToldOf() throws {
        let file = Self.good.replacing(#","poststop""#, with: "").replacing(
            "createRuntime", with: "precreate"
        ).replacing("\"auto\"", with: "\"precreate\"")
        for (configuration, isTold) in [
            ("", false), ("# hooks_dir = [\"DIRECTORY\"]", false),
            ("hooks_dir = [\"DIRECTORY/x\"]", false),
            ("[engine]\nhooks_dir = [\"/a\",\n  \"DIRECTORY\"]\n", true),
        ] {
            let findings = try Self.findings(["a.json": file, "podman.conf": configuration])
            #expect(findings.contains { $0.contains("podman reads it only if") } == !isTold)
        }
    }

    @Test func twoForAll() throws {
        let findings = try Self.findings(["a.json": Self.good, "b.json": Self.good])
        #expect(
            findings.contains(
                "FAIL more than one file is for all containers: DIR/a.json, DIR/b.json\n     -> keep one of them"
            ))
    }

    @Test func shippedFiles() throws {
        let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        for name in [
            "50-lxcfs-hook.json", "50-lxcfs-hook-annotated.json",
            "podman/50-lxcfs-hook-sysinfo.json", "podman/50-lxcfs-hook-sysinfo-annotated.json",
        ] {
            let content = try String(
                contentsOfFile: "/\(repository)/hooks.d/\(name)", encoding: .utf8)
            let isForAllEngines = !name.hasPrefix("podman/")
            let findings = try Self.findings(
                [
                    "podman.conf": "hooks_dir = [\"DIRECTORY\"]",
                    "a.json": content.replacing("/usr/libexec/oci/lxcfs-hook", with: "PROGRAM"),
                ],
                isShared: isForAllEngines)
            let faults = findings.filter {
                !$0.hasPrefix("ok") && !$0.contains("is not root's")
                    && (isForAllEngines || !$0.contains("no hook file for"))
            }
            #expect(faults.isEmpty)
        }
    }
}
