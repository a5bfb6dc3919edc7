import Testing

@testable import LxcfsHook

@Suite struct ServedMountsTests {
    static let host = table(
        """
        22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw
        40 22 0:50 / /var/lib/lxcfs rw - fuse.lxcfs lxcfs rw
        41 22 0:51 / /run/lxcfs/tree ro - fuse.lxcfs lxcfs ro
        42 41 0:50 / /run/lxcfs/tree/.opens rw - fuse.lxcfs lxcfs rw
        """)

    static func table(_ text: String) -> [UInt8] { Array((text + "\n").utf8) }

    static func find(
        _ tables: [String], host: [UInt8] = host, registered: Int32? = nil,
        ownMounts: [String] = ["/run/lxcfs"]
    ) -> [ServedMounts.Found] {
        ServedMounts.find(
            in: tables.enumerated().map { index, text in
                let pid = Int32(index + 1)
                return .init(pid: pid, table: table(text), isRegistered: pid == registered)
            },
            places: ["/proc/meminfo", "/proc/uptime", "/sys/devices/system/cpu"],
            ownMounts: ownMounts, host: host)
    }

    @Test func filesOfBothConnections() {
        let tree = "60 30 0:51 /web/proc/meminfo /proc/meminfo ro - fuse.lxcfs lxcfs ro"
        let bound = """
            61 30 0:50 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw
            62 31 0:50 /sys/devices/system/cpu /sys/devices/system/cpu rw - fuse.lxcfs x rw
            63 30 0:50 / /var/lib/lxcfs rw - fuse.lxcfs lxcfs rw
            """
        #expect(
            Self.find([tree, bound, "22 1 8:1 / / rw - ext4 /dev/sda1 rw"])
                == [.init(pid: 1, mounts: [60]), .init(pid: 2, mounts: [61, 62])])
    }

    @Test func whateverTheNameOfOurs() {
        let host = Self.table("41 22 0:51 / /run/a\\040b/tree ro - fuse.name name ro")
        let file = "60 30 0:51 /web/proc/uptime /proc/uptime ro - fuse.name name ro"
        #expect(
            Self.find([file], host: host, ownMounts: ["/run/a b"])
                == [.init(pid: 1, mounts: [60])])
        // Beside the runtime directory, not below it.
        #expect(Self.find([file], host: host, ownMounts: ["/run/a"]).isEmpty)
    }

    @Test func deadOnes() {
        let dead = "60 30 0:77 /web/proc/uptime /proc/uptime ro - fuse.lxcfs lxcfs ro"
        let foreign = "61 30 0:78 / /proc/uptime ro - fuse.sysboxfs sysboxfs rw"
        #expect(Self.find([dead, foreign]) == [.init(pid: 1, mounts: [60])])
    }

    @Test func anotherLxcfsKeepsItsFiles() {
        let file = "60 30 0:77 /proc/uptime /proc/uptime rw - fuse.lxcfs lxcfs rw"
        let home = "70 22 0:77 / /srv/lxcfs rw - fuse.lxcfs lxcfs rw"
        #expect(Self.find([file], host: Self.host + Self.table(home)).isEmpty)
        // Also if it runs in a container, for those in it.
        #expect(Self.find([file, home]).isEmpty)
    }

    @Test func overlays() {
        let own =
            "60 30 0:90 /proc/uptime /proc/uptime ro - overlay lxcfs ro,lowerdir=/proc/self/fd/7"
        let foreign = "61 30 0:91 /x /proc/uptime ro - overlay overlay ro"
        let home = "70 22 0:77 / /srv/lxcfs rw - fuse.lxcfs lxcfs rw"
        #expect(Self.find([own, foreign]) == [.init(pid: 1, mounts: [60])])
        // It may be that one's.
        #expect(Self.find([own, home]).isEmpty)
        #expect(Self.find([own, home], registered: 1) == [.init(pid: 1, mounts: [60])])
    }
}
