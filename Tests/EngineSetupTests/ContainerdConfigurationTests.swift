import JSON
import LxcfsHook
import Testing

@testable import EngineSetup

@Suite struct ContainerdConfigurationTests {
    static let file = ContainerdConfiguration.usual

    /// The section of the CRI plugin, as containerd sees it.
    static func section(_ root: TemporaryRoot) throws -> JSONValue {
        try ContainerdFiles(file, in: root.root).section
    }

    static func installed(_ fixture: String, isDefault: Bool = true) throws -> JSONValue {
        let root = try TemporaryRoot()
        try root.write(try TemporaryRoot.fixture(fixture), to: file)
        try root.install(.containerd, isDefault: isDefault)
        return try section(root)
    }

    static func program(_ section: JSONValue) -> String? {
        section.at(["containerd", "runtimes", "lxcfs", "options", "BinaryName"])?.string
    }

    @Test(arguments: [
        "containerd-1.6-default.toml", "containerd-debian12.toml", "containerd-v1.toml",
        "containerd-kubeadm.toml", "containerd-2.1-default.toml",
    ])
    func theRuntimeIsThereAndTheOthersToo(_ fixture: String) throws {
        let section = try Self.installed(fixture)
        #expect(Self.program(section) == "/usr/bin/lxcfs-runtime")
        #expect(section.at(["containerd", "runtimes", "runc"])?.object?.isEmpty == false)
        #expect(section.at(["containerd", "default_runtime_name"])?.string == "lxcfs")
        let other = try Self.installed(fixture, isDefault: false)
        #expect(Self.program(other) == "/usr/bin/lxcfs-runtime")
        #expect(other.at(["containerd", "default_runtime_name"])?.string != "lxcfs")
    }

    @Test func optionsAreThoseOfTheDefaultRuntime() throws {
        let runtime = try Self.installed("containerd-kubeadm.toml")
            .at(["containerd", "runtimes", "lxcfs"])
        #expect(runtime?.at(["options", "SystemdCgroup"]) == .bool(true))
        #expect(
            runtime?.at(["pod_annotations"])?.strings == ["example.com/*", "io.lxcfs-hook.*"])
    }

    @Test func anotherShimHasOtherOptions() throws {
        let root = try TemporaryRoot()
        try root.write(
            """
            version = 2
            [plugins."io.containerd.grpc.v1.cri".containerd]
            default_runtime_name = "kata"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata]
            runtime_type = "io.containerd.kata.v2"
            options = { ConfigPath = "/x" }
            """, to: Self.file)
        try root.install(.containerd)
        let runtime = try Self.section(root).at(["containerd", "runtimes", "lxcfs"])
        #expect(runtime?.at(["runtime_type"])?.string == "io.containerd.runc.v2")
        #expect(runtime?.at(["options", "ConfigPath"]) == nil)
    }

    static let importing = "version = 3\nimports = [\"conf.d/*.toml\"]\n"

    @Test func aDirectoryThatIsImportedGetsAFile() throws {
        let root = try TemporaryRoot()
        try root.write(Self.importing, to: Self.file)
        try root.install(.containerd, isDefault: true)
        #expect(root.read(Self.file) == Self.importing)
        let section = try Self.section(root)
        #expect(Self.program(section) != nil)
        // containerd 2 keeps its own runc.
        #expect(section.at(["containerd", "runtimes"])?.object?.count == 1)
        #expect(
            root.read("/etc/containerd/conf.d/99-lxcfs.toml")?.hasPrefix("# written by") == true
        )
        try root.uninstall(.containerd)
        #expect(try root.content().keys.contains("etc/containerd/conf.d") == false)
    }

    /// containerd 1 would take a section of ours for all that there is to say of the plugin.
    @Test func inVersionTwoTheLastSectionIsAddedTo() throws {
        let root = try TemporaryRoot()
        let main = try TemporaryRoot.fixture("containerd-kubeadm.toml")
        try root.write("imports = [\"/etc/containerd/conf.d/*.toml\"]\n" + main, to: Self.file)
        try root.install(.containerd)
        #expect(root.read("/etc/containerd/conf.d/99-lxcfs.toml") == nil)
        #expect(
            try Self.section(root).at(["sandbox_image"])?.string == "registry.k8s.io/pause:3.9")
        try root.uninstall(.containerd)
        let other = """
            version = 2
            [plugins."io.containerd.grpc.v1.cri"]
            sandbox_image = "other"
            """
        try root.write(other, to: "/etc/containerd/conf.d/50-other.toml")
        try root.install(.containerd, isDefault: true)
        #expect(try Self.section(root).at(["sandbox_image"])?.string == "other")
        #expect(Self.program(try Self.section(root)) != nil)
        try root.uninstall(.containerd)
        #expect(root.read("/etc/containerd/conf.d/50-other.toml") == other)
    }

    @Test(arguments: [
        "version = 2\nplugins = { \"io.containerd.grpc.v1.cri\" = { sandbox_image = \"x\" } }\n",
        "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\ncontainerd = { snapshotter = \"x\" }\n",
        "version = 2\n[plugins\n", "version = 2\na = 1\na = 2\n", "version = 2\n\u{0}",
        """
        version = 2
        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.lxcfs.options]
        BinaryName = "/opt/mine"
        """,
    ])
    func whatCannotBeAddedToIsLeftAlone(_ text: String) throws {
        let root = try TemporaryRoot()
        try root.write(text, to: Self.file)
        let before = try root.content()
        #expect(throws: SetupError.self) { try root.install(.containerd, isDefault: true) }
        #expect(try root.content() == before)
    }

    @Test func aFaultHasAPlace() throws {
        let root = try TemporaryRoot()
        try root.write("version = 2\nroot = \n", to: Self.file)
        let error = #expect(throws: SetupError.self) { try root.install(.containerd) }
        #expect(error?.description.contains("config.toml, line 2, column") == true)
    }

    @Test func oddHeadersAndLineEnds() throws {
        let root = try TemporaryRoot()
        let text =
            "version = 2\r\n[ plugins . 'io.containerd.grpc.v1.cri' . containerd ] # x\r\nsnapshotter = 'native'\r\n"
        try root.write(text, to: Self.file)
        try root.install(.containerd, isDefault: true)
        let section = try Self.section(root)
        #expect(section.at(["containerd", "default_runtime_name"])?.string == "lxcfs")
        #expect(section.at(["containerd", "snapshotter"])?.string == "native")
        try root.uninstall(.containerd)
        #expect(root.read(Self.file) == text)
    }
}
