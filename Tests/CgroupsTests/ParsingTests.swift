import KernelText
import Syscalls
import Testing

@testable import Cgroups

@Suite struct ScannerTests {
    @Test func numbersThatDoNotFitStayAtTheLargest() {
        withBytes("18446744073709551615 18446744073709551616 99999999999999999999999 7") {
            var scanner = Scanner($0)
            #expect(scanner.number() == .max)
            #expect(scanner.number() == .max)
            #expect(scanner.number() == .max)
            #expect(scanner.number() == 7)
            #expect(scanner.number() == nil)
        }
    }

    @Test func linesWithAndWithoutNewlineAtTheEnd() {
        for text in ["a\n\nb", "a\n\nb\n"] {
            withBytes(text) {
                var scanner = Scanner($0)
                var lines: [String] = []
                while let line = scanner.line() { lines.append(line.string) }
                #expect(lines == ["a", "", "b"])
            }
        }
    }

    @Test func differencesAndSumsAreClamped() {
        #expect(clampedDifference(1, 2) == 0)
        #expect(clampedDifference(3, 2) == 1)
        #expect(clampedSum(.max, 1) == .max)
    }
}

@Suite struct NamespacePIDsTests {
    private func parse(_ text: String, _ depth: Int?) -> NamespacePIDs? {
        withBytes(text) { NamespacePIDs($0, atDepth: depth) }
    }

    @Test func aNamespaceWithinAnotherHasNumbersOfItsOwn() throws {
        let status = "Name:\tsh\nNStgid:\t9\nNSpid:\t2500\t310\t1\nNSpgid:\t7\n"
        #expect(parse(status, nil)?.depth == 3)
        #expect(parse(status, nil)?.innermost == 1)
        #expect(parse(status, nil)?.asked == nil)
        #expect(parse(status, 2)?.asked == 310)
        #expect(parse(status, 1)?.asked == 2500)
    }

    @Test func whoIsNotInTheNamespaceHasNoNumberThere() {
        #expect(parse("NSpid:\t2500\n", 2)?.asked == nil)
        #expect(parse("NSpid:\t2500\n", 2)?.innermost == 2500)
    }

    @Test(arguments: ["", "NSpid:", "NSpid:\n", "NSpid:\tx\n", "Pid:\t3\n"])
    func withoutNumbersThereIsNothing(_ text: String) {
        #expect(parse(text, 1) == nil)
    }
}

@Suite struct CPUListTests {
    @Test(arguments: [
        ("0-3", [0, 1, 2, 3]), ("0", [0]), ("1,3-4\n", [1, 3, 4]), ("", []), ("\n", []),
        ("3,1,1-2", [1, 2, 3]),
    ])
    func parses(_ text: String, _ cpus: [Int]) {
        #expect(CPUList(parsing: text)?.cpus == cpus)
    }

    @Test(arguments: [
        "x", "1-", "3-1", "1,,2", "-1", "1 2", "0-99999999999", "1-2-3",
        "0-65536,0-65536,0-65536",
    ])
    func refuses(_ text: String) {
        #expect(CPUList(parsing: text) == nil)
    }

    @Test func writesTheListFormat() {
        #expect(CPUList([0, 1, 2, 5, 7, 8]).text == "0-2,5,7-8")
        #expect(CPUList([]).text == "")
    }

    @Test func numbersItsMembers() {
        let list = CPUList([2, 3, 9])
        #expect(list.index(of: 2) == 0)
        #expect(list.index(of: 9) == 2)
        #expect(list.index(of: 4) == nil)
        #expect(list.intersection(CPUList([3, 4, 9])).cpus == [3, 9])
        #expect(list.prefix(2).cpus == [2, 3])
    }
}

@Suite struct CgroupMountsTests {
    static let hybrid = """
        22 27 0:21 / /proc rw,relatime - proc proc rw
        31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 master:2 - cgroup cgroup rw,memory
        40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw

        """

    @Test func findsWhatIsMounted() {
        let mounts = withBytes(Self.hybrid, CgroupMounts.init(mountinfo:))
        #expect(mounts.version == .hybrid)
        #expect(mounts.legacy(.cpuacct)?.mountPoint == "/sys/fs/cgroup/cpu,cpuacct")
        #expect(mounts.legacy(.memory)?.mountPoint == "/sys/fs/cgroup/memory")
        #expect(mounts.legacy(.pids) == nil)
        #expect(mounts.unified?.mountPoint == "/sys/fs/cgroup/unified")
        #expect(mounts.mounts.count == 3)
    }

    @Test func pureVersions() {
        let v2 = withBytes(
            "26 25 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n",
            CgroupMounts.init(mountinfo:))
        #expect(v2.version == .v2)
        let v1 = withBytes(
            "26 25 0:22 / /mnt/mem rw - cgroup none rw,memory\n", CgroupMounts.init(mountinfo:))
        #expect(v1.version == .v1)
    }

    @Test func theMountThatShowsTheRootWins() {
        let text = """
            1 0 0:5 /docker/abc /cg rw - cgroup2 cgroup2 rw
            2 0 0:5 / /full rw - cgroup2 cgroup2 rw
            3 0 0:5 /x /later rw - cgroup2 cgroup2 rw
            """
        let mounts = withBytes(text, CgroupMounts.init(mountinfo:))
        #expect(mounts.unified?.mountPoint == "/full")
    }

    @Test func unescapesMountPoints() {
        let text = "1 0 0:5 / /a\\040b\\134c rw - cgroup2 cgroup2 rw\n"
        let mounts = withBytes(text, CgroupMounts.init(mountinfo:))
        #expect(mounts.unified?.mountPoint == "/a b\\c")
    }

    @Test(arguments: ["", "garbage\n", "1 2 3\n", "1 0 0:5 / /x rw - cgroup2\n", "- - - -\n"])
    func survivesGarbage(_ text: String) {
        #expect(withBytes(text, CgroupMounts.init(mountinfo:)).mounts.isEmpty)
    }

    @Test func findsDirectories() {
        let whole = HierarchyMount(
            unified: true, controllers: [], mountPoint: "/cg", root: "/")
        #expect(whole.directory(of: "/") == "/cg")
        #expect(whole.directory(of: "/a/b") == "/cg/a/b")
        #expect(whole.directory(of: "/../other") == nil)
        let part = HierarchyMount(
            unified: true, controllers: [], mountPoint: "/cg", root: "/docker/x")
        #expect(part.directory(of: "/docker/x") == "/cg")
        // U+0301 joins what is before it.
        #expect(part.directory(of: "/docker/x/\u{301}") == "/cg/\u{301}")
        #expect(part.directory(of: "/docker/x\u{301}") == nil)
        #expect(whole.directory(of: "x") == nil)
        #expect(whole.directory(of: "\u{301}") == nil)
        #expect(part.directory(of: "/docker/x/y") == "/cg/y")
        #expect(part.directory(of: "/docker/xy") == nil)
        #expect(part.directory(of: "/") == nil)
    }
}

@Suite struct CgroupPathsTests {
    @Test func parsesBothVersions() {
        let text = """
            9:name=systemd:/
            4:memory:/runc/a:b
            2:cpu,cpuacct:/runc/c
            0::/runc/u

            """
        let paths = withBytes(text, CgroupPaths.init(parsing:))
        #expect(paths.legacy == [.memory: "/runc/a:b", .cpu: "/runc/c", .cpuacct: "/runc/c"])
        #expect(paths.unified == "/runc/u")
        #expect(paths.display == "/runc/a:b")
    }

    @Test func theContainerIsAboveInitScope() {
        let paths = CgroupPaths(
            legacy: [.memory: "/init.scope"], unified: "/docker/x/init.scope")
        #expect(paths.ofContainer.unified == "/docker/x")
        #expect(paths.ofContainer.legacy[.memory] == "/")
        #expect(CgroupPaths(unified: "/myinit.scope").ofContainer.unified == "/myinit.scope")
    }

    @Test func containment() {
        let outer = CgroupPaths(unified: "/a")
        #expect(outer.contains(CgroupPaths(unified: "/a/b")))
        #expect(outer.contains(outer))
        #expect(!outer.contains(CgroupPaths(unified: "/ab")))
        #expect(!outer.contains(CgroupPaths(unified: "/")))
        #expect(CgroupPaths(unified: "/").contains(outer))
    }
}

@Suite struct MemoryStatTests {
    @Test func keysMatchAsAWhole() {
        // The traps that lxcfs fell into: "file" is a prefix of "file_mapped", and v1's
        // "total_rss" one of "total_rss_huge".
        let unified = withBytes("file_mapped 5\nfile 3\nanon 1\nanon_thp 7\nnew_key 9\n") {
            MemoryStat(parsing: $0, unified: true)
        }
        #expect(unified[.file] == 3)
        #expect(unified[.fileMapped] == 5)
        #expect(unified[.anonHuge] == 7)
        #expect(unified[.slabReclaimable] == nil)
        let legacy = withBytes("rss 1\ncache 2\ntotal_rss_huge 4\ntotal_rss 3\n") {
            MemoryStat(parsing: $0, unified: false)
        }
        #expect(legacy[.anon] == 3)
        #expect(legacy[.anonHuge] == 4)
        #expect(legacy[.file] == nil)
    }

    @Test func everyFieldHasAKey() {
        for field in MemoryField.allCases {
            #expect(field.unifiedKey != nil || field.legacyKey != nil, "\(field)")
        }
    }
}

@Suite struct ProcessStatTests {
    @Test(arguments: ["bash", "npm start", "a) R 1", "((", ") ) )"])
    func theNameMayHoldAnything(_ name: String) {
        let text =
            "42 (\(name)) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 0 0\n"
        let stat = withBytes(text, ProcessStat.init(parsing:))
        #expect(stat?.state == UInt8(ascii: "S"))
        #expect(stat?.parent == 7)
        #expect(stat?.startTime == 123_456)
    }

    @Test(arguments: ["", "42", "42 (x", "42 (x) S", "42 (x) S 1 2 3"])
    func refusesWhatIsCutOff(_ text: String) {
        #expect(withBytes(text, ProcessStat.init(parsing:)) == nil)
    }
}

@Suite struct IOCountersTests {
    @Test func unified() {
        var counters: [IOCounters] = []
        withBytes(
            """
            254:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=512 dios=3
            7:1 \n8:0 rbytes=x
            """
        ) { counters.add(unified: $0) }
        #expect(counters.count == 1)
        #expect(counters[0].device == DeviceNumber(major: 254, minor: 0))
        #expect(counters[0].readBytes == 4096)
        #expect(counters[0].writes == 2)
        #expect(counters[0].discards == 3)
    }

    @Test func legacy() {
        var counters: [IOCounters] = []
        let text = "254:0 Read 10\n254:0 Write 20\n254:0 Sync 30\n254:0 Total 30\nTotal 30\n"
        withBytes(text) { counters.add(legacy: $0, bytes: true) }
        withBytes("254:0 Read 1\n254:0 Write 2\n") { counters.add(legacy: $0, bytes: false) }
        #expect(counters.count == 1)
        #expect(counters[0].readBytes == 10)
        #expect(counters[0].writtenBytes == 20)
        #expect(counters[0].reads == 1)
        #expect(counters[0].writes == 2)
    }
}

@Suite struct DeepPathsTests {
    @Test func aContainerIsNoDeeperThanSoManyLevels() {
        let deep = String(repeating: "/d", count: 2000)
        let paths = CgroupPaths(legacy: [.memory: deep + "/init.scope"], unified: deep)
        let limited = String(repeating: "/d", count: CgroupPaths.deepest)
        #expect(paths.ofContainer.legacy[.memory] == limited)
        #expect(paths.ofContainer.unified == limited)
        #expect(paths.ofContainer.contains(paths))
        #expect(CgroupPaths(unified: limited).ofContainer.unified == limited)
        #expect(CgroupPaths(unified: "/init.scope").ofContainer.unified == "/")
    }
}

@Suite struct ManyDevicesTests {
    /// Of 4,000 devices, each is found where it is expected; in another order they are found, too.
    @Test func eachDeviceIsThereOnce() {
        func text(_ devices: some Sequence<Int>, _ factor: Int) -> String {
            devices.map { "7:\($0) Read \($0 * factor)\n7:\($0) Write 1\n" }.joined()
        }
        var io: [IOCounters] = []
        withBytes(text(0..<4000, 512)) { io.add(legacy: $0, bytes: true) }
        withBytes(text((0..<4000).reversed(), 1)) { io.add(legacy: $0, bytes: false) }
        #expect(io.count == 4000)
        for (index, counters) in io.enumerated() {
            #expect(counters.device.minor == UInt32(index))
            #expect(
                counters.readBytes == UInt64(index * 512) && counters.reads == UInt64(index))
        }
    }
}
