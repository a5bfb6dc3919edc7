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
    @Test(arguments: [
        "", ".", "..", "proc", "sys", ".opens", "a/b", "a b", "ä", "a\nb",
        String(repeating: "x", count: 256),
    ])
    func refusesNamesThatCannotBeDirectories(_ id: String) {
        #expect(Registry.objection(toID: id) != nil)
    }

    @Test(arguments: [
        "a", "0123abcd", "my_pod-1.scope", "x+y", String(repeating: "x", count: 255),
    ])
    func takesContainerIDs(_ id: String) {
        #expect(Registry.objection(toID: id) == nil)
    }

    @Test func aNewContainerTakesTheNameNotThePlaceOfTheOld() throws {
        let registry = Registry()
        let first = try makeContainer("x", slot: try registry.takeSlot())
        #expect(registry.add(first) == nil)
        let second = try makeContainer("x", slot: try registry.takeSlot())
        #expect(registry.add(second) === first)
        #expect(registry.container(id: "x") === second)
        #expect(registry.container(slot: first.slot) === first)
        #expect(registry.remove(slot: first.slot) === first)
        #expect(registry.container(id: "x") === second)
        #expect(registry.remove(slot: second.slot) === second)
        #expect(registry.container(id: "x") == nil)
        #expect(registry.count == 0)
    }

    @Test func slotsAreNotUsedTwice() throws {
        let registry = Registry()
        _ = registry.add(try makeContainer("restored", slot: 41))
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
        let state = ContainerState(try makeContainer("a.b", slot: 7))
        try directory.write(state)
        var other = state
        other.id = "c"
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
        #expect(other.cgroups == CgroupPaths(legacy: [.memory: "/x"]))
        try directory.remove(id: "c")
        try directory.remove(id: "c")
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
