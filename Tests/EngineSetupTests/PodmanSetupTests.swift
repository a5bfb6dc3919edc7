import LxcfsHook
import OCISpec
import Testing

@testable import EngineSetup

@Suite struct PodmanSetupTests {
    @Test func directoriesThatAreNamedStayNamed() throws {
        let root = try TemporaryRoot()
        try root.write(
            "[engine] # mine\nhooks_dir = [\"/srv/hooks\"]\n",
            to: "/etc/containers/containers.conf")
        try root.install(.podman)
        #expect(
            root.read(PodmanSetup.own) == """
                # written by lxcfs-hook install
                [engine]
                hooks_dir = ["/srv/hooks", "/etc/lxcfs-hook/hooks.d"]

                """)
    }

    @Test func hookFilesAreWhatPodmanTakes() throws {
        let root = try TemporaryRoot()
        try root.install(.podman, isDefault: true) { $0.hookPath = "/opt/lxcfs-hook" }
        for name in PodmanSetup.hooks {
            let text = try #require(root.read("/etc/lxcfs-hook/hooks.d/\(name)"))
            let file = try HookFile(json: Array(text.utf8), name: name)
            #expect(file.when.always == true)
            #expect(file.hook.path == "/opt/lxcfs-hook")
        }
    }

    @Test func aLaterFileWouldWin() throws {
        let root = try TemporaryRoot()
        try root.write(
            "[engine]\nhooks_dir = []\n", to: "/etc/containers/containers.conf.d/zz.conf")
        #expect(throws: SetupError.self) { try root.install(.podman) }
    }
}
