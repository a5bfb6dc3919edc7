import Foundation
import Glibc
import KernelText
import Syscalls
import Testing

@testable import Cgroups

@Suite struct TimeNamespacesTests {
    @Test(
        arguments: [
            // As the kernel writes it.
            ("monotonic           0         0\nboottime            0         0\n", 0, 0),
            (
                "monotonic      -86400 500000000\nboottime       604800         1\n",
                -86_399_500_000_000, 604_800_000_000_001
            ),
            ("boottime -1 0\nmonotonic 1 0\n", 1_000_000_000, -1_000_000_000),
        ] as [(String, Int64, Int64)])
    func offsets(_ text: String, _ monotonic: Int64, _ boottime: Int64) throws {
        let offsets = try #require(withBytes(text, TimeOffsets.init(parsing:)))
        #expect(offsets.monotonic == monotonic)
        #expect(offsets.boottime == boottime)
    }

    @Test(arguments: [
        "", "boottime 1 0\n", "monotonic 1 0\nboottime x 0\n", "monotonic 1 0\nboottime 1\n",
        "monotonic 1 0\nboottime 1 1000000000\n",
        "monotonic 1 0\nboottime 9223372036854775807 0\n",
        "monotonic 1 0\nboottime 1 -5\n",
    ])
    func nonsense(_ text: String) {
        #expect(withBytes(text, TimeOffsets.init(parsing:)) == nil)
    }

    /// A /proc of ordinary files: what counts of a namespace is the inode.
    private final class Proc {
        let path = NSTemporaryDirectory() + "proc-" + UUID().uuidString
        private var namespaces: [String: String] = [:]

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func add(_ process: String, time: String, children: String, boottime: String) throws {
            let directory = "\(path)/\(process)"
            try FileManager.default.createDirectory(
                atPath: directory + "/ns", withIntermediateDirectories: true)
            for (name, namespace) in [("time", time), ("time_for_children", children)] {
                let file = "\(path)/\(namespace)"
                if !FileManager.default.fileExists(atPath: file) {
                    try "".write(toFile: file, atomically: false, encoding: .utf8)
                }
                try FileManager.default.linkItem(
                    atPath: file, toPath: "\(directory)/ns/\(name)")
            }
            try "monotonic 0 0\nboottime \(boottime) 0\n".write(
                toFile: directory + "/timens_offsets", atomically: false, encoding: .utf8)
        }

        func open() throws -> FileDescriptor {
            try FileDescriptor.open(path, O_PATH | O_DIRECTORY)
        }
    }

    @Test func tellsHowFarAProcessIsFromUs() throws {
        let tree = Proc()
        try tree.add("self", time: "a", children: "a", boottime: "-100")
        try tree.add("1", time: "a", children: "a", boottime: "-100")
        try tree.add("2", time: "b", children: "b", boottime: "-130")
        try tree.add("3", time: "c", children: "c", boottime: "0")
        // Has made one, and does not live in it.
        try tree.add("4", time: "a", children: "d", boottime: "7")
        try tree.add("5", time: "b", children: "d", boottime: "7")
        let proc = try tree.open()
        let namespaces = try TimeNamespaces(proc)
        let scratch = Scratch(capacity: 256)
        #expect(namespaces.areSupported)
        #expect(namespaces.ownOffset == -100_000_000_000)
        #expect(try namespaces.shift(of: 1, proc, scratch) == nil)
        #expect(try namespaces.shift(of: 2, proc, scratch) == -30_000_000_000)
        #expect(try namespaces.shift(of: 3, proc, scratch) == 100_000_000_000)
        #expect(try namespaces.shift(of: 4, proc, scratch) == nil)
        #expect(try namespaces.shift(of: 5, proc, scratch) == nil)
        #expect(throws: SystemError.self) { try namespaces.shift(of: 6, proc, scratch) }
    }

    @Test func aKernelWithoutThem() throws {
        let tree = Proc()
        try FileManager.default.createDirectory(
            atPath: tree.path + "/self/ns", withIntermediateDirectories: true)
        let proc = try tree.open()
        let namespaces = try TimeNamespaces(proc)
        #expect(!namespaces.areSupported)
        #expect(namespaces.ownOffset == 0)
        #expect(try namespaces.shift(of: 1, proc, Scratch(capacity: 256)) == nil)
    }
}
