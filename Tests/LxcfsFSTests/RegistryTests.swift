import Cgroups
import Control
import Foundation
import KernelText
import Syscalls
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper
@testable import LxcfsPageCache

@Suite struct RegistryTests {
    @Test func anIdIsNotTheNameOfAnother() throws {
        let registry = Registry()
        let first = try makeContainer("x", slot: try registry.takeSlot())
        #expect(registry.add(first) == "x")
        let second = try makeContainer("x", slot: try registry.takeSlot())
        #expect(registry.add(second) == "x~2")
        let third = try makeContainer("x", slot: try registry.takeSlot())
        #expect(registry.add(third) == "x~3")
        #expect(registry.container(key: "x") === first)
        #expect(registry.container(key: "x~2") === second)
        #expect(registry.key(of: second) == "x~2")
        #expect(registry.containers(id: "x").map(\.slot) == [1, 2, 3])
        #expect(registry.keys == ["x", "x~2", "x~3"])
        // The end of one leaves the others what they have.
        #expect(registry.remove(slot: first.slot)?.key == "x")
        #expect(registry.container(key: "x") == nil)
        #expect(registry.container(key: "x~2") === second)
        #expect(registry.add(try makeContainer("x", slot: try registry.takeSlot())) == "x")
    }

    @Test func whoComesAnewTakesTheNameNotThePlaceOfTheOld() throws {
        let registry = Registry()
        let first = try makeContainer("x", slot: try registry.takeSlot())
        registry.add(first)
        let second = try makeContainer("x", slot: try registry.takeSlot())
        let keys = registry.add(second, replacing: first)
        #expect(keys.key == "x" && keys.former == "x~2")
        #expect(registry.container(key: "x") === second)
        #expect(registry.container(key: "x~2") === first)
        #expect(registry.container(slot: first.slot) === first)
        #expect(registry.remove(slot: first.slot)?.container === first)
        #expect(registry.container(key: "x") === second)
        #expect(registry.remove(slot: second.slot)?.container === second)
        #expect(registry.remove(slot: second.slot) == nil)
        #expect(registry.count == 0 && registry.keys.isEmpty)
    }

    @Test func aKeyOfAnEarlierWorkerIsKept() throws {
        let registry = Registry()
        #expect(registry.add(try makeContainer("x", slot: 7), key: "x~4") == "x~4")
        // Unless it cannot be.
        #expect(registry.add(try makeContainer("x", slot: 8), key: "x~4") == "x")
        #expect(registry.add(try makeContainer("x", slot: 9), key: "proc") == "x~2")
    }

    @Test func slotsAreNotUsedTwice() throws {
        let registry = Registry()
        registry.add(try makeContainer("restored", slot: 41))
        #expect(try registry.takeSlot() == 42)
        #expect(try registry.takeSlot() == 43)
    }
}

/// A container in the directory of a fake hierarchy.
func makeContainer(_ id: String, slot: UInt32) throws -> Container {
    let root = NSTemporaryDirectory() + "registry-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: root) }
    let tree = CgroupTree(
        mounts: CgroupMounts([
            HierarchyMount(unified: true, controllers: [], mountPoint: root, root: "/")
        ]))
    return Container(
        id: id, slot: slot, pid: 1, startTime: 0, cpuView: .quota, showSwap: true,
        cgroups: try ContainerCgroups(CgroupPaths(unified: "/"), in: tree),
        watcher: nil)
}

@Suite struct StateDirectoryTests {
    private let directory = StateDirectory(
        path: NSTemporaryDirectory() + "state-" + UUID().uuidString)

    @Test func remembersContainers() throws {
        try directory.prepare()
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let state = ContainerState(
            try makeContainer("a.b", slot: 7), key: "a.b",
            ContainerOrigin(process: 9, startTime: 8, bundle: "/b"))
        try directory.write(state)
        var other = state
        other.id = "c"
        other.name = ".c"
        other.bootOffset = -5
        other.unifiedCgroup = nil
        other.legacyCgroups = ["memory": "/x"]
        try directory.write(other)
        // Left by a daemon that died while writing, and by somebody else.
        try "{".write(toFile: directory.path + "/.d", atomically: false, encoding: .utf8)
        try "{".write(toFile: directory.path + "/e.json", atomically: false, encoding: .utf8)
        let content = try directory.read()
        #expect(content.states.map(\.0).sorted { $0.id < $1.id } == [state, other])
        #expect(content.complaints.count == 1)
        #expect(content.complaints.first?.contains("e.json") ?? false)
        #expect(content.present.keys.sorted() == ["a.b.json", "c.json", "e.json"])
        try directory.sweep()
        #expect(!FileManager.default.fileExists(atPath: directory.path + "/.d"))
        #expect(state.origin == ContainerOrigin(process: 9, startTime: 8, bundle: "/b"))
        #expect(state.containerID == "a.b" && other.containerID == ".c")
        #expect(other.cgroups == CgroupPaths(legacy: [.memory: "/x"]))
        try directory.remove(key: "c")
        try directory.remove(key: "c")
        let known = try directory.read()
        #expect(known.states.map(\.0) == [state])
        // What is known is not read again, what has been written again is.
        #expect(try directory.read(except: known.present).states.isEmpty)
        try directory.write(state)
        #expect(try directory.read(except: known.present).states.map(\.1) == ["a.b.json"])
    }

    @Test func aFileInThePlaceOfTheDirectoryIsAnError() throws {
        try "".write(toFile: directory.path, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        #expect(throws: SystemError.self) { try directory.prepare() }
    }
}
