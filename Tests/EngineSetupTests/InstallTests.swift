import Glibc
import LxcfsHook
import Testing

@testable import EngineSetup

/// What holds for every engine and every configuration that it may have.
@Suite struct InstallTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let engine: EngineName
        /// Fixture and where it is, or none.
        var fixture: String?
        var file = ""
        var testDescription: String { "\(engine) \(fixture ?? "without a file")" }
    }

    static let cases: [Case] =
        [
            Case(engine: .docker), Case(engine: .containerd), Case(engine: .podman),
            Case(engine: .crio),
            Case(
                engine: .docker, fixture: "docker-daemon.json", file: DockerConfiguration.usual),
            Case(
                engine: .crio, fixture: "crio-10-crio.conf",
                file: "/etc/crio/crio.conf.d/10-crio.conf"),
        ]
        + [
            "containerd-1.6-default.toml", "containerd-debian12.toml", "containerd-v1.toml",
            "containerd-kubeadm.toml", "containerd-2.1-default.toml",
        ].map {
            Case(engine: .containerd, fixture: $0, file: ContainerdConfiguration.usual)
        }

    static func root(_ one: Case) throws -> TemporaryRoot {
        let root = try TemporaryRoot()
        if let fixture = one.fixture {
            try root.write(try TemporaryRoot.fixture(fixture), to: one.file)
        }
        return root
    }

    @Test(arguments: cases, [false, true])
    func uninstallLeavesNoTrace(_ one: Case, isDefault: Bool) throws {
        let root = try Self.root(one)
        let before = try root.content()
        try root.install(one.engine, isDefault: isDefault)
        #expect(try root.content() != before)
        try root.uninstall(one.engine)
        #expect(try root.content() == before)
    }

    @Test(arguments: cases, [false, true])
    func theSecondTimeThereIsNothingToDo(_ one: Case, isDefault: Bool) throws {
        let root = try Self.root(one)
        let before = try root.content()
        try root.install(one.engine, isDefault: isDefault)
        let once = try root.content()
        try root.install(one.engine, isDefault: isDefault)
        #expect(try root.content() == once)
        // What is the default stays it.
        try root.install(one.engine)
        #expect(try root.content() == once)
        try root.uninstall(one.engine)
        #expect(try root.content() == before)
        try root.uninstall(one.engine)
        #expect(try root.content() == before)
    }

    @Test(arguments: cases)
    func theDefaultCanComeLater(_ one: Case) throws {
        let root = try Self.root(one)
        let before = try root.content()
        try root.install(one.engine)
        try root.install(one.engine, isDefault: true)
        let steps = try root.content().filter { !$0.key.contains("var/lib") }
        let other = try Self.root(one)
        try other.install(one.engine, isDefault: true)
        #expect(steps == (try other.content().filter { !$0.key.contains("var/lib") }))
        try root.uninstall(one.engine)
        #expect(try root.content() == before)
    }

    @Test(arguments: cases)
    func aDryRunChangesNothing(_ one: Case) throws {
        let root = try Self.root(one)
        let before = try root.content()
        try root.install(one.engine) { $0.isDryRun = true }
        #expect(try root.content() == before)
    }

    /// Comments and everything else that was in the file is still there, in its order.
    @Test(arguments: cases.filter { $0.fixture != nil && $0.engine != .crio })
    func nothingElseChanges(_ one: Case) throws {
        let root = try Self.root(one)
        try root.install(one.engine)
        let old = try TemporaryRoot.fixture(try #require(one.fixture)).split(separator: "\n")
        let new = try #require(root.read(one.file)).split(separator: "\n")
        // A line to which a comma was added counts as the same.
        func bare(_ line: Substring) -> Substring {
            line.hasSuffix(",") ? line.dropLast() : line
        }
        let removed = new.map(bare).difference(from: old.map(bare)).removals
        #expect(removed.isEmpty)
    }

    @Test(arguments: cases.filter { $0.fixture != nil && $0.engine != .crio })
    func whatOthersHaveChangedSinceStays(_ one: Case) throws {
        let root = try Self.root(one)
        try root.install(one.engine, isDefault: true)
        let mark = one.engine == .docker ? "\n\n" : "# by hand\n"
        let installed = try #require(root.read(one.file))
        try root.write(
            one.engine == .docker ? installed + mark : mark + installed, to: one.file)
        try root.uninstall(one.engine)
        let after = try #require(root.read(one.file))
        let original = try TemporaryRoot.fixture(try #require(one.fixture))
        if one.engine == .docker {
            #expect(after == original + mark)
        } else if one.fixture == "containerd-kubeadm.toml" {
            // The line has lost its comment.
            #expect(
                after
                    == mark
                    + original.replacing("\"runc\" # not crun", with: "\"runc\""))
        } else if one.fixture == "containerd-2.1-default.toml" {
            #expect(after.replacing("\"runc\"", with: "'runc'") == mark + original)
        } else {
            #expect(after == mark + original)
        }
    }

    /// Somebody's change between two installs is no reason to lose it.
    @Test func whatChangesBetweenTwoInstallsStays() throws {
        let root = try TemporaryRoot()
        try root.write("{\n  \"debug\": true\n}\n", to: DockerConfiguration.usual)
        try root.install(.docker)
        let text = try #require(root.read(DockerConfiguration.usual))
        try root.write(text.replacing("true", with: "false"), to: DockerConfiguration.usual)
        try root.install(.docker, isDefault: true)
        try root.uninstall(.docker)
        #expect(root.read(DockerConfiguration.usual) == "{\n  \"debug\": false\n}\n")
    }
}
