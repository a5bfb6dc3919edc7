import Foundation
import Glibc
import KernelText
import Syscalls

@testable import Cgroups

/// Calls `body` with the bytes of `text`.
func withBytes<Value>(_ text: String, _ body: (Bytes) throws -> Value) rethrows -> Value {
    try Array(text.utf8).withUnsafeBufferPointer(body)
}

/// A directory tree that stands for a cgroup hierarchy.
final class CgroupFixture {
    let root: String

    init(_ files: [String: String] = [:]) throws {
        root = NSTemporaryDirectory() + "cgroups-test-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: root, withIntermediateDirectories: true)
        for (path, text) in files { try write(path, text) }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    /// Writes a file, and makes its directory a cgroup.
    func write(_ path: String, _ text: String) throws {
        let url = URL(fileURLWithPath: root + "/" + path)
        var directory = url.deletingLastPathComponent()
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true)
        try text.write(to: url, atomically: false, encoding: .utf8)
        while directory.path.hasPrefix(root) {
            let marker = directory.appendingPathComponent("cgroup.procs")
            if !FileManager.default.fileExists(atPath: marker.path) {
                try "".write(to: marker, atomically: false, encoding: .utf8)
            }
            directory.deleteLastPathComponent()
        }
    }

    func remove(_ path: String) throws {
        try FileManager.default.removeItem(atPath: root + "/" + path)
    }

    /// The tree as cgroup v2.
    var unified: CgroupTree {
        CgroupTree(
            mounts: CgroupMounts([
                HierarchyMount(unified: true, controllers: [], mountPoint: root, root: "/")
            ]))
    }

    /// The tree as one v1 hierarchy per controller, in the subdirectory of that name.
    var legacy: CgroupTree {
        CgroupTree(
            mounts: CgroupMounts(
                Controller.allCases.filter {
                    FileManager.default.fileExists(atPath: root + "/" + $0.rawValue)
                }.map {
                    HierarchyMount(
                        unified: false, controllers: [$0],
                        mountPoint: root + "/" + $0.rawValue, root: "/")
                }))
    }

    func unifiedContainer(_ path: String) throws -> ContainerCgroups {
        try ContainerCgroups(CgroupPaths(unified: path), in: unified)
    }

    func legacyContainer(_ path: String) throws -> ContainerCgroups {
        let tree = legacy
        let controllers = tree.mounts.mounts.flatMap(\.controllers)
        return try ContainerCgroups(
            CgroupPaths(
                legacy: Dictionary(uniqueKeysWithValues: controllers.map { ($0, path) })),
            in: tree)
    }
}

let megabyte: UInt64 = 1 << 20
