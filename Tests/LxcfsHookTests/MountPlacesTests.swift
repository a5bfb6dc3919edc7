import FoundationEssentials
import Glibc
import Testing

@testable import LxcfsHook

/// Only looks at this process's own namespace: needs no privileges, mounts nothing.
@Suite struct MountPlacesTests {
    static let meminfo = Target(.proc, name: "meminfo")

    /// A directory to play a container's root.
    static func withRoot(_ body: (String) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.path + "/lxcfs-hook-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        try body(root)
    }

    static func place(_ target: Target, root: String) throws -> MountPlaces.Place? {
        let process = try ContainerProcess(pid: getpid())
        return try MountPlaces(rootfs: root, process: process).place(of: target)
    }

    static func reason(_ target: Target, root: String) -> String {
        do {
            _ = try place(target, root: root)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func theKernelsOwnFiles() throws {
        let process = try ContainerProcess(pid: getpid())
        #expect(process.sharesMountNamespace)
        // No program mounts over this one.
        let place = try Self.place(Target(.proc, name: "version"), root: "/")
        #expect(place?.state == .kernel)
        #expect(try Self.place(Target(.proc, name: "nosuch"), root: "/") == nil)
        #expect(try Self.place(Target(.proc, parent: "nosuch", name: "x"), root: "/") == nil)
    }

    @Test func linksWithinProcfs() {
        // /proc/mounts -> self/mounts; and a magic link.
        for target in [
            Target(.proc, name: "mounts"), Target(.proc, parent: "self", name: "stat"),
            Target(.proc, parent: "\(getpid())/root", name: "etc"),
        ] {
            #expect(Self.reason(target, root: "/") == "a symbolic link is on the way to it")
        }
        #expect(!Self.reason(Target(.proc, parent: "..", name: "etc"), root: "/").isEmpty)
    }

    @Test func imagesWithoutProcfs() throws {
        try Self.withRoot { root in
            #expect(Self.reason(Self.meminfo, root: root) == "there is no \(root)/proc")
            try FileManager.default.createDirectory(
                atPath: root + "/proc", withIntermediateDirectories: false)
            symlink("/etc/passwd", root + "/proc/meminfo")
            #expect(
                Self.reason(Self.meminfo, root: root) == "nothing is mounted at \(root)/proc")
        }
    }

    @Test(arguments: ["/proc", "../../../../../../proc", ".", "/"])
    func linksInsteadOfProc(destination: String) throws {
        try Self.withRoot { root in
            symlink(destination, root + "/proc")
            #expect(Self.reason(Self.meminfo, root: root) == "\(root)/proc is a symbolic link")
        }
    }

    @Test func fileInsteadOfProc() throws {
        try Self.withRoot { root in
            close(creat(root + "/proc", 0o644))
            #expect(Self.reason(Self.meminfo, root: root) == "\(root)/proc is not a directory")
        }
    }

    @Test func missingRoot() throws {
        #expect(
            Self.reason(Self.meminfo, root: "/nosuch").hasPrefix(
                "the container's mount namespace has no /nosuch"))
    }
}
