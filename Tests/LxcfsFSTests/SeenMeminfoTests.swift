import Cgroups
import KernelText
import Syscalls
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper
@testable import LxcfsPageCache

@Suite struct SeenMeminfoTests {
    private let own = """
        22 1 8:1 / / rw - ext4 /dev/vda rw
        30 22 0:40 / /var/lib/lx\\040cfs ro - fuse.lxcfs lxcfs rw
        31 22 0:50 / /var/lib/lx\\040cfs ro - fuse.lxcfs lxcfs rw
        32 31 0:51 / /var/lib/lx\\040cfs/.opens rw - fuse.lxcfs lxcfs rw
        33 31 0:51 /proc /var/lib/lx\\040cfs/proc rw - fuse.lxcfs lxcfs rw
        """

    private func devices() throws -> TreeDevices {
        try #require(
            Array(own.utf8).withUnsafeBufferPointer {
                TreeDevices(
                    mountPoint: "/var/lib/lx cfs", tree: "/run/lx cfs/tree", mountinfo: $0)
            })
    }

    private func seen(_ lines: String...) throws -> SeenMeminfo {
        let text =
            (["60 1 0:33 / / rw - overlay o rw", "61 60 0:34 / /proc rw - proc p rw"]
            + lines).joined(separator: "\n") + "\n"
        let devices = try devices()
        return Array(text.utf8).withUnsafeBufferPointer(devices.meminfo)
    }

    @Test func theOuterMountCounts() throws {
        #expect(try devices().containers == Array("0:50".utf8))
        #expect(try devices().callers == Array("0:51".utf8))
    }

    @Test func thoseOfTheContainersMayBeBeside() throws {
        let mounts = """
            34 22 0:50 / /run/lx\\040cfs/tree ro - fuse.lxcfs lxcfs rw
            35 22 0:51 / /var/lib/lx\\040cfs rw - fuse.lxcfs lxcfs rw
            36 34 0:51 / /run/lx\\040cfs/tree/.opens rw - fuse.lxcfs lxcfs rw
            37 34 0:51 /proc /run/lx\\040cfs/tree/proc rw - fuse.lxcfs lxcfs rw
            """
        let devices = Array(mounts.utf8).withUnsafeBufferPointer {
            TreeDevices(
                mountPoint: "/var/lib/lx cfs", tree: "/run/lx cfs/tree", mountinfo: $0)
        }
        #expect(devices == (try self.devices()))
    }

    @Test func aFilesystemOfTheContainersOwn() throws {
        #expect(
            try seen("62 61 0:70 /proc/meminfo /proc/meminfo ro - overlay lxcfs ro,lowerdir=x")
                == .own)
        #expect(
            try seen("62 61 0:70 /proc/meminfo /proc/meminfo ro - overlay other ro,lowerdir=x")
                == .foreign)
        #expect(
            try seen("62 61 0:70 /other /proc/meminfo ro - overlay lxcfs ro,lowerdir=x")
                == .foreign)
    }

    @Test func ourFiles() throws {
        #expect(
            try seen("62 61 0:50 /c1/proc/meminfo /proc/meminfo ro - fuse.lxcfs lxcfs rw")
                == .container(id: "c1"))
        #expect(
            try seen("62 61 0:51 /proc/meminfo /proc/meminfo ro - fuse.lxcfs lxcfs rw")
                == .caller)
    }

    @Test func othersFiles() throws {
        #expect(try seen() == .foreign)
        // Only another file of ours.
        #expect(
            try seen("62 61 0:50 /c1/proc/uptime /proc/uptime ro - fuse.lxcfs lxcfs rw")
                == .foreign)
        // Another lxcfs, and a daemon that has gone.
        #expect(
            try seen("62 61 0:40 /c1/proc/meminfo /proc/meminfo ro - fuse.lxcfs lxcfs rw")
                == .foreign)
        // A file of ours that is not meminfo.
        #expect(
            try seen("62 61 0:51 /proc/uptime /proc/meminfo ro - fuse.lxcfs lxcfs rw")
                == .foreign)
        #expect(
            try seen("62 61 0:50 / /proc/meminfo ro - fuse.lxcfs lxcfs rw") == .foreign)
    }

    @Test func whatIsMountedLaterCounts() throws {
        let ours = "62 61 0:50 /c1/proc/meminfo /proc/meminfo ro - fuse.lxcfs lxcfs rw"
        #expect(try seen(ours, "63 60 0:70 / /proc rw - proc proc rw") == .foreign)
        #expect(
            try seen(ours, "63 62 0:71 /x /proc/meminfo rw - tmpfs tmpfs rw") == .foreign)
        #expect(
            try seen("63 62 0:71 /x /proc/meminfo rw - tmpfs tmpfs rw", ours)
                == .container(id: "c1"))
    }

    @Test func isRememberedForAMoment() {
        var cache = SeenMeminfoCache()
        let namespace = NamespaceID(inode: 1)
        #expect(cache.seen(in: namespace, now: 0) == nil)
        cache.add(.caller, in: namespace, now: 0)
        #expect(cache.seen(in: namespace, now: 99_999_999) == .caller)
        #expect(cache.seen(in: namespace, now: 100_000_000) == nil)
        #expect(cache.seen(in: NamespaceID(inode: 2), now: 0) == nil)
        for inode in 2..<1000 as Range<UInt64> {
            cache.add(.foreign, in: NamespaceID(inode: inode), now: 0)
        }
        #expect(cache.seen(in: NamespaceID(inode: 999), now: 0) == .foreign)
        // It does not grow without end.
        #expect(cache.seen(in: namespace, now: 0) == nil)
    }

    @Test func shortLinesAreNoMounts() throws {
        #expect(try seen("", "62 61 0:50", "62") == .foreign)
    }
}
