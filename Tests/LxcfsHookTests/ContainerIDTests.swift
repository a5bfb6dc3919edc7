import Testing

@testable import LxcfsHook

@Suite struct ContainerIDTests {
    static let id = String(repeating: "0123456789abcdef", count: 4)

    @Test(arguments: [
        "0::/system.slice/docker-\(id).scope",
        "0::/machine.slice/libpod-\(id).scope/container",
        "0::/machine.slice/libpod-\(id).scope/container/init.scope",
        "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-\(id).scope",
        "0::/kubepods.slice/kubepods-pod1.slice/crio-\(id).scope",
        "12:memory:/docker/\(id)\n1:name=systemd:/docker/\(id)\n0::/",
        "0::/\n2:cpu:/\n1:memory:/kubepods/pod1/\(id)\n",
    ])
    func enginesName(cgroups: String) {
        #expect(ContainerID.fromCgroups(cgroups) == Self.id)
    }

    @Test func otherwiseTheLastName() {
        #expect(ContainerID.fromCgroups("9:cpu:/\n4:memory:/web\n0::/\n") == "web")
        #expect(ContainerID.fromCgroups("0::/lxc/c1.scope") == "c1")
        #expect(ContainerID.fromCgroups("3:a:b:/x/with:colon") == "with:colon")
    }

    @Test(arguments: ["", "0::/\n", "garbage", "0::/..", "0:"])
    func noName(cgroups: String) {
        #expect(ContainerID.fromCgroups(cgroups) == nil)
    }

    @Test func names() {
        #expect(ContainerID.fault("web-1.x_y+z") == nil)
        #expect(ContainerID.fault(String(repeating: "a", count: 255)) == nil)
        // crun makes them.
        #expect(ContainerID.fault("a\nb\u{7F}") == nil)
        for id in ["", ".", "..", "a/b", String(repeating: "a", count: 256)] {
            #expect(ContainerID.fault(id) != nil)
        }
    }
}
