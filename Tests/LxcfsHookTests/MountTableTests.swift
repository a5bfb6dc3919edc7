import Testing

@testable import LxcfsHook

@Suite struct MountTableTests {
    static let table = MountTable(
        Array(
            """
            22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
            30 22 0:21 / /proc rw,nosuid master:3 propagate_from:2 - proc proc rw
            31 22 0:22 / /with\\040blank rw shared:7 master:1 - tmpfs tmpfs rw
            40 30 0:50 /proc/meminfo /proc/meminfo ro - fuse.lxcfs lxcfs rw,user_id=0
            41 40 0:51 /proc/meminfo /proc/meminfo ro - fuse.lxcfs lxcfs rw
            42 30 0:52 / /proc/uptime ro - fuse x rw
            43 30 0:53 / /proc/stat ro - fusectl fusectl rw
            50 51 0:54 / /a rw - fuse x rw
            51 50 0:54 / /a rw - fuse x rw
            44 30 0:55 /proc/stat /proc/stat ro - overlay lxcfs ro,lowerdir=/proc/self/fd/7
            45 30 0:56 / /proc/vmstat ro - overlay overlay ro,lowerdir=/a:/b
            garbage
            60 22 0:1 / /x rw -

            """.utf8))

    @Test func fields() throws {
        let root = Self.table[22]
        #expect(root?.parent == 1 && root?.type == "ext4" && root?.peerGroup == 1)
        let proc = Self.table[30]
        #expect(proc?.parent == 22 && proc?.type == "proc" && proc?.peerGroup == nil)
        #expect(Self.table[31]?.peerGroup == 7)
        #expect(Self.table[60] == nil)
        #expect(Self.table[99] == nil)
        #expect(Self.table.peerGroups == [1, 7])
    }

    @Test func kinds() throws {
        #expect(Self.table[40]?.isFUSE == true)
        #expect(Self.table[42]?.isFUSE == true)
        #expect(Self.table[43]?.isFUSE == false)
        #expect(
            [40, 42, 43, 44, 45].map { Self.table[$0]?.isServed } == [
                true, true, false, true, false,
            ])
        #expect(Self.table[44]?.isFUSE == false)
    }

    @Test func stacks() {
        #expect(Self.table.stack(from: 41) == (2, 30))
        #expect(Self.table.stack(from: 40) == (1, 30))
        #expect(Self.table.stack(from: 44) == (1, 30))
        #expect(Self.table.stack(from: 45) == (0, 45))
        #expect(Self.table.stack(from: 30) == (0, 30))
        #expect(Self.table.stack(from: 99) == (0, 99))
        // A loop, which a table that changed while it was read may show, ends.
        #expect(Self.table.stack(from: 50).depth > 8)
    }
}
