import Testing

@testable import LxcfsKeeper

/// What lxcfs means by `--runtime-dir` is others' directory.
@Suite struct SharedDirectoryTests {
    @Test(arguments: ["/run", "/run/", "//run/.", "/var/run", "/", "/tmp"])
    func othersHaveSomethingThere(_ path: String) {
        #expect(throws: (any Error).self) { try SharedDirectory.refuse(path) }
    }

    @Test(arguments: ["/run/lxcfs", "/run/incus/instance", "/var/lib/lxcfs-run", "run"])
    func oneOfItsOwnIsTaken(_ path: String) throws { try SharedDirectory.refuse(path) }
}
