import KernelText
import Testing

/// The lines of a mountinfo file, some of which a container may have chosen.
@Suite struct MountinfoTests {
    private func mounts<Value>(_ text: String, _ body: (Mountinfo.Mount) -> Value) -> [Value] {
        Array(text.utf8).withUnsafeBufferPointer { Mountinfo($0).map(body) }
    }

    @Test func fieldsAreTakenApart() {
        let line =
            "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext3 /dev/root rw,x=y\n"
        let found = mounts(line) {
            "\($0.id) \($0.parent) \($0.device.string) \($0.root.string) \($0.point.string) "
                + "\($0.filesystem?.type.string ?? "-") "
                + "\($0.filesystem?.options.string ?? "-") \($0.peerGroup ?? 0)"
        }
        #expect(found == ["36 35 98:0 /mnt1 /mnt2 ext3 rw,x=y 7"])
    }

    @Test(arguments: ["fuse", "fuse.lxcfs", "fuseblk"])
    func fuseHasManyNames(_ type: String) {
        #expect(mounts("1 0 0:5 / /x rw - \(type) lxcfs rw\n", \.isFUSE) == [true])
    }

    @Test(arguments: ["fusectl", "xfuse", "ext4"])
    func whatOnlySoundsLikeFUSEIsNot(_ type: String) {
        #expect(mounts("1 0 0:5 / /x rw - \(type) lxcfs rw\n", \.isFUSE) == [false])
    }

    /// The kernel escapes space, tab, newline and backslash, and nothing else.
    @Test(arguments: ["\r", "\u{b}", "\u{c}", "\u{1}", "\u{85}"])
    func aMountPointCannotPassForFurtherFields(_ separator: String) {
        let s = separator
        let line =
            "1 0 0:5 / /a\(s)rw\(s)-\(s)fuse\(s)lxcfs\(s)rw rw shared:3 - tmpfs tmpfs rw\n"
        let found = mounts(line) { ($0.point.count, $0.isFUSE, $0.peerGroup) }
        #expect(found.count == 1)
        #expect(found.first?.1 == false)
        #expect(found.first?.2 == 3)
    }

    @Test func theDashOfAPathDoesNotEndTheOptionalFields() {
        let line = "1 0 0:5 / - rw - fuse lxcfs rw\n"
        #expect(mounts(line) { $0.point.string } == ["-"])
        #expect(mounts(line, \.isFUSE) == [true])
    }

    @Test(
        arguments: [
            "", "\n", "1\n", "1 2 3:4 /\n", "x 2 3:4 / /a rw - a b c\n",
            "99999999999999999999 2 3:4 / /a rw - a b c\n", "-1 2 3:4 / /a rw - a b c\n",
        ])
    func whatIsNoMountIsPassedOver(_ text: String) {
        #expect(mounts(text, \.id).isEmpty)
        #expect(mounts(text + "5 1 0:5 / /x rw - fuse a b\n", \.id) == [5])
    }

    @Test(arguments: ["1 0 0:5 / /x\n", "1 0 0:5 / /x rw\n", "1 0 0:5 / /x rw - fuse\n"])
    func aLineThatIsCutHasNoFilesystem(_ text: String) {
        #expect(mounts(text) { $0.filesystem == nil } == [true])
    }

    @Test(arguments: ["/a b", "/a\\b", "/a\tb\nc", "/plain", "/ä"])
    func pathsGoThereAndBack(_ path: String) {
        let escaped = Mountinfo.escaped(path)
        #expect(!escaped.contains { $0 <= 0x20 })
        #expect(escaped.withUnsafeBufferPointer(Mountinfo.unescaped) == path)
    }
}
