import FoundationEssentials
import Glibc
import Testing

@testable import LxcfsHook

@Suite struct BlockDevicesTests {
    /// What is found on a machine with these lines in `/proc/diskstats` and these links in
    /// `/sys/dev/block`.
    private func targets(_ diskstats: String, _ links: [String: String]) throws -> [Target] {
        var found: [Target] = []
        try MountPlacesTests.withRoot { root in
            let block = root + "/dev/block"
            try FileManager.default.createDirectory(
                atPath: block, withIntermediateDirectories: true)
            try Data(diskstats.utf8).write(to: URL(filePath: root + "/diskstats"))
            for (name, target) in links { symlink(target, block + "/" + name) }
            found = BlockDevices(proc: root, sys: root).targets
        }
        return found
    }

    @Test func thoseThatHaveBeenUsed() throws {
        let found = try targets(
            """
               7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
               7       1 loop1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0
             254       0 vda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17
             254       1 vda1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17

            """,
            [
                "7:0": "../../devices/virtual/block/loop0",
                "7:1": "../../devices/virtual/block/loop1",
                "254:0": "../../devices/pci0000:00/virtio1/block/vda",
                "254:1": "../../devices/pci0000:00/virtio1/block/vda/vda1",
            ])
        #expect(
            found.map(\.path) == [
                "/sys/devices/pci0000:00/virtio1/block/vda/stat",
                "/sys/devices/pci0000:00/virtio1/block/vda/inflight",
                "/sys/devices/pci0000:00/virtio1/block/vda/vda1/stat",
                "/sys/devices/pci0000:00/virtio1/block/vda/vda1/inflight",
                "/sys/devices/virtual/block/loop1/stat",
                "/sys/devices/virtual/block/loop1/inflight",
            ])
        #expect(found.first?.servedPath == "/sys/dev/block/254:0/stat")
        #expect(found.last?.servedPath == "/sys/dev/block/7:1/inflight")
    }

    @Test(arguments: [
        "../../devices/../../etc", "/etc", "../../../devices/virtual/block/loop0", "loop0", "",
    ]) func aLinkThatIsNoneOfTheKernels(_ link: String) throws {
        #expect(try targets("   7       0 loop0 1 2 3\n", ["7:0": link]).isEmpty)
    }

    @Test func whatCannotBeReadIsPassedOver() throws {
        #expect(BlockDevices(proc: "/nosuch", sys: "/nosuch").targets.isEmpty)
        #expect(try targets("", [:]).isEmpty)
        #expect(try targets("garbage\n 8\n 8 0 sda 1\n", [:]).isEmpty)
    }

    @Test func noMoreThanSoMany() throws {
        let lines = ([7, 8].flatMap { major in (0..<20).map { " \(major) \($0) x 1\n" } })
        let links = Dictionary(
            uniqueKeysWithValues: (0..<20).flatMap { minor in
                [7, 8].map { ("\($0):\(minor)", "../../devices/virtual/\($0)-\(minor)") }
            })
        let found = try targets(lines.joined(), links)
        #expect(found.count == 2 * BlockDevices.most)
        // Disks first.
        #expect(found.prefix(40).allSatisfy { $0.parent.hasPrefix("devices/virtual/8-") })
    }
}
