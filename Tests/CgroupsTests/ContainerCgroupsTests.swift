import Foundation
import Glibc
import KernelText
import Syscalls
import Testing

@testable import Cgroups

@Suite struct UnifiedContainerTests {
    let scratch = Scratch()

    @Test func theSmallestLimitOnTheWayToTheRootCounts() throws {
        let fixture = try CgroupFixture([
            "a/memory.max": "\(100 * megabyte)\n",
            "a/memory.current": "\(90 * megabyte)\n",
            "a/b/memory.max": "\(200 * megabyte)\n",
            "a/b/memory.current": "\(20 * megabyte)\n",
            "a/b/memory.stat": "file 1000\n",
        ])
        let facts = try fixture.unifiedContainer("/a/b").readMemory(scratch)
        #expect(facts.limit == 100 * megabyte)
        #expect(facts.obtainable == 10 * megabyte)
        #expect(facts.usage == 20 * megabyte)
        #expect(facts.stat[.file] == 1000)
    }

    /// 200 MB for two: the neighbour has 120 MB of page cache, of which the kernel takes back
    /// what the container wants.
    @Test func whatNeighboursCanGiveBackIsObtainable() throws {
        let fixture = try CgroupFixture([
            "a/memory.max": "\(200 * megabyte)\n",
            "a/memory.current": "\(140 * megabyte)\n",
            "a/memory.stat": """
            file \(130 * megabyte)
            shmem \(5 * megabyte)
            active_file \(60 * megabyte)
            inactive_file \(62 * megabyte)
            slab_reclaimable \(1 * megabyte)

            """,
            "a/b/memory.max": "max\n",
            "a/b/memory.current": "\(10 * megabyte)\n",
            "a/b/memory.stat": "inactive_file \(2 * megabyte)\n",
        ])
        let container = try fixture.unifiedContainer("/a/b")
        #expect(try container.readMemory(scratch).obtainable == (200 - 140 + 123) * megabyte)
        // With a limit of its own that is tighter, and one that is not.
        try fixture.write("a/b/memory.max", "\(150 * megabyte)\n")
        #expect(try container.readMemory(scratch).obtainable == (150 - 10 + 2) * megabyte)
        try fixture.write("a/b/memory.max", "\(199 * megabyte)\n")
        #expect(try container.readMemory(scratch).obtainable == 183 * megabyte)
    }

    /// The kernel adds up memory.stat over all that is below: it is not asked for nothing.
    @Test func theStatisticsOfAnAncestorAreReadOnlyIfItCouldBeTighter() throws {
        let fixture = try CgroupFixture([
            "a/memory.max": "\(200 * megabyte)\n",
            "a/memory.current": "\(140 * megabyte)\n",
            // As many as would make a difference.
            "a/memory.stat": "inactive_file \(100 * megabyte)\n",
            "a/b/memory.max": "\(50 * megabyte)\n",
            "a/b/memory.current": "\(40 * megabyte)\n",
            "a/b/memory.stat": "inactive_file 0\n",
        ])
        let container = try fixture.unifiedContainer("/a/b")
        #expect(try container.readMemory(scratch).obtainable == 10 * megabyte)
        #expect(try !isOpen("a/memory.stat", of: fixture))
        try fixture.write("a/memory.current", "\(195 * megabyte)\n")
        #expect(try container.readMemory(scratch).obtainable == 10 * megabyte)
        #expect(try isOpen("a/memory.stat", of: fixture))
    }

    private func isOpen(_ path: String, of fixture: CgroupFixture) throws -> Bool {
        let wanted = fixture.root + "/" + path
        return (0..<256).contains { descriptor in
            let path = "/proc/self/fd/\(descriptor)"
            return (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) == wanted
        }
    }

    @Test func aLimitAboveTheMachineIsNone() throws {
        let fixture = try CgroupFixture([
            "a/memory.max": "\(200 * megabyte)\n",
            "a/memory.current": "\(140 * megabyte)\n",
        ])
        let container = try fixture.unifiedContainer("/a")
        let facts = try container.readMemory(scratch, hostSize: 200 * megabyte)
        #expect(facts.limit == nil && facts.obtainable == nil)
        #expect(facts.usage == 140 * megabyte)
    }

    @Test func whereTheKernelThrottlesIsALimit() throws {
        let fixture = try CgroupFixture([
            "a/memory.high": "\(100 * megabyte)\n",
            "a/memory.max": "\(120 * megabyte)\n",
            "a/memory.current": "\(110 * megabyte)\n",
            "a/memory.stat": "inactive_file \(30 * megabyte)\n",
            "a/b/memory.high": "max\n",
            "a/b/memory.max": "max\n",
            "a/b/memory.current": "\(5 * megabyte)\n",
        ])
        let facts = try fixture.unifiedContainer("/a/b").readMemory(scratch)
        #expect(facts.limit == 100 * megabyte)
        #expect(facts.obtainable == 20 * megabyte)
    }

    @Test func usageAboveTheLimitLeavesNoHeadroom() throws {
        let fixture = try CgroupFixture([
            "c/memory.max": "1000000\n", "c/memory.current": "2000000\n",
        ])
        let facts = try fixture.unifiedContainer("/c").readMemory(scratch)
        #expect(facts.obtainable == 0)
    }

    @Test func maxIsNoNumber() throws {
        let fixture = try CgroupFixture([
            "c/memory.max": "max\n", "c/memory.current": "5000\n",
            "c/memory.swap.max": "max\n", "c/memory.swap.current": "77\n",
        ])
        let facts = try fixture.unifiedContainer("/c").readMemory(scratch)
        #expect(facts.limit == nil)
        #expect(facts.obtainable == nil)
        #expect(facts.swapLimit == nil)
        #expect(facts.swapUsage == 77)
        #expect(facts.swapAccounted)
    }

    @Test func swapOfAncestors() throws {
        let fixture = try CgroupFixture([
            "a/memory.swap.max": "1000\n", "a/memory.swap.current": "900\n",
            "a/b/memory.swap.max": "max\n", "a/b/memory.swap.current": "10\n",
        ])
        let facts = try fixture.unifiedContainer("/a/b").readMemory(scratch)
        #expect(facts.swapLimit == 1000)
        #expect(facts.swapHeadroom == 100)
        #expect(facts.swapUsage == 10)
    }

    @Test func aControllerThatStopsAboveTheContainer() throws {
        let fixture = try CgroupFixture([
            "a/memory.max": "5000\n", "a/memory.current": "4000\n",
            "a/memory.stat": "anon 11\n", "a/b/cgroup.type": "domain\n",
        ])
        let facts = try fixture.unifiedContainer("/a/b").readMemory(scratch)
        #expect(facts.limit == 5000)
        #expect(facts.usage == 4000)
        #expect(facts.stat[.anon] == 11)
    }

    @Test(arguments: [
        ("max 100000", nil), ("50000 100000", 1), ("100000 100000", 1), ("150000 100000", 2),
        ("200001 100000", 3), ("18446744073709551615 1", Int.max), ("5 0", nil), ("", nil),
    ])
    func quota(_ text: String, _ cpus: Int?) throws {
        let fixture = try CgroupFixture(["c/cpu.max": text + "\n"])
        #expect(try fixture.unifiedContainer("/c").readQuota(scratch) == cpus)
    }

    @Test func theTightestQuotaCounts() throws {
        let fixture = try CgroupFixture([
            "a/cpu.max": "100000 100000\n", "a/b/cpu.max": "300000 100000\n",
        ])
        #expect(try fixture.unifiedContainer("/a/b").readQuota(scratch) == 1)
        #expect(try fixture.unifiedContainer("/a/b").readCPULimit(scratch) == 1)
    }

    @Test(arguments: [
        ("max 100000", nil), ("50000 100000", 0.5), ("150000 100000", 1.5), ("5 0", nil),
        ("0 100000", 0),
    ])
    func quotaOfParts(_ text: String, _ cpus: Double?) throws {
        let fixture = try CgroupFixture(["c/cpu.max": text + "\n"])
        #expect(try fixture.unifiedContainer("/c").readCPULimit(scratch) == cpus)
    }

    @Test func effectiveNotRequestedCPUs() throws {
        let fixture = try CgroupFixture([
            "c/cpuset.cpus": "0-3\n", "c/cpuset.cpus.effective": "0-1\n",
            "c/inner/memory.max": "max\n",
        ])
        for path in ["/c", "/c/inner"] {
            let text = try fixture.unifiedContainer(path).readCPUSet(scratch)
            #expect(text?.string == "0-1")
        }
    }

    @Test func cpuTime() throws {
        let fixture = try CgroupFixture([
            "c/cpu.stat": "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 5\n"
        ])
        let container = try fixture.unifiedContainer("/c")
        #expect(try container.readCPUTime(scratch) == CPUTime(user: 20_000, system: 10_000))
        var times: [UInt64] = []
        #expect(try !container.readCPUTimePerCPU(scratch, into: &times))
    }

    @Test func pressureIsTheContainersOwn() throws {
        let fixture = try CgroupFixture([
            "c/cpu.pressure": "some avg10=1.00\n", "io.pressure": "host\n",
        ])
        let container = try fixture.unifiedContainer("/c")
        #expect(try container.readPressure(.cpu, scratch)?.string == "some avg10=1.00\n")
        #expect(try container.readPressure(.io, scratch) == nil)
        let root = try fixture.unifiedContainer("/")
        #expect(try root.readPressure(.io, scratch) == nil)
        #expect(root.isRoot)
        #expect(!container.isRoot)
    }

    @Test func aCgroupThatIsRemovedIsNotOneWithoutLimits() throws {
        let fixture = try CgroupFixture([
            "c/memory.max": "5000\n", "c/memory.current": "1\n", "c/cpu.max": "max 1\n",
        ])
        let container = try fixture.unifiedContainer("/c")
        #expect(container.exist)
        try fixture.remove("c")
        #expect(!container.exist)
        let error = #expect(throws: SystemError.self) { try container.readMemory(scratch) }
        #expect(error?.errno == ENODEV)
        #expect("\(error!)".contains("/c/memory."))
    }

    @Test func oneMadeAnewUnderTheSamePathIsAnother() throws {
        let fixture = try CgroupFixture([
            "c/memory.max": "5000\n", "c/memory.current": "1\n",
        ])
        let tree = fixture.unified
        let paths = CgroupPaths(unified: "/c")
        let first = try ContainerCgroups(paths, in: tree)
        #expect(try first.readMemory(scratch).limit == 5000)
        try fixture.remove("c")
        try fixture.write("c/memory.max", "7000\n")
        try fixture.write("c/memory.current", "1\n")
        let second = try ContainerCgroups(paths, in: tree)
        #expect(try second.readMemory(scratch).limit == 7000)
        #expect(!first.exist)
    }

    @Test func filesAreFreshOnEachRead() throws {
        let fixture = try CgroupFixture([
            "c/memory.max": "5000\n", "c/memory.current": "1\n",
        ])
        let container = try fixture.unifiedContainer("/c")
        #expect(try container.readMemory(scratch).limit == 5000)
        try fixture.write("c/memory.max", "6000\n")
        #expect(try container.readMemory(scratch).limit == 6000)
        container.closeFiles()
        #expect(try container.readMemory(scratch).limit == 6000)
    }

    @Test func aMissingCgroupIsAnError() throws {
        let fixture = try CgroupFixture(["c/memory.max": "1\n"])
        let error = #expect(throws: SystemError.self) { try fixture.unifiedContainer("/none") }
        #expect(error?.errno == ENOENT)
    }
}

@Suite struct LegacyContainerTests {
    let scratch = Scratch()

    @Test func memoryAndCombinedSwap() throws {
        let fixture = try CgroupFixture([
            "memory/memory.limit_in_bytes": "9223372036854771712\n",
            "memory/memory.usage_in_bytes": "1\n",
            "memory/c/memory.limit_in_bytes": "\(64 * megabyte)\n",
            "memory/c/memory.usage_in_bytes": "\(16 * megabyte)\n",
            "memory/c/memory.memsw.limit_in_bytes": "\(96 * megabyte)\n",
            "memory/c/memory.memsw.usage_in_bytes": "\(20 * megabyte)\n",
            "memory/c/memory.stat": "total_cache 4096\ntotal_rss 8192\n",
        ])
        let facts = try fixture.legacyContainer("/c").readMemory(scratch)
        #expect(facts.limit == 64 * megabyte)
        #expect(facts.obtainable == 48 * megabyte)
        #expect(facts.swapLimit == 32 * megabyte)
        #expect(facts.swapUsage == 4 * megabyte)
        #expect(facts.swapHeadroom == nil)
        #expect(facts.obtainableWithSwap == 76 * megabyte)
        #expect(facts.stat[.file] == 4096)
    }

    @Test func memoryAndSwapTogetherAtSeveralLevels() throws {
        let fixture = try CgroupFixture([
            "memory/a/memory.limit_in_bytes": "\(100 * megabyte)\n",
            "memory/a/memory.usage_in_bytes": "\(40 * megabyte)\n",
            "memory/a/memory.memsw.limit_in_bytes": "\(130 * megabyte)\n",
            "memory/a/memory.memsw.usage_in_bytes": "\(61 * megabyte)\n",
            "memory/a/memory.stat": """
            total_inactive_file \(10 * megabyte)
            total_swap \(20 * megabyte)

            """,
            "memory/a/c/memory.limit_in_bytes": "\(80 * megabyte)\n",
            "memory/a/c/memory.usage_in_bytes": "\(1 * megabyte)\n",
            "memory/a/c/memory.memsw.limit_in_bytes": "\(160 * megabyte)\n",
            "memory/a/c/memory.memsw.usage_in_bytes": "\(1 * megabyte)\n",
            "memory/a/c/memory.stat": "total_swap 0\n",
        ])
        let facts = try fixture.legacyContainer("/a/c").readMemory(scratch)
        #expect(facts.limit == 80 * megabyte)
        #expect(facts.swapLimit == 50 * megabyte)
        #expect(facts.obtainable == 70 * megabyte)
        #expect(facts.obtainableWithSwap == (130 - 60 + 10) * megabyte)
    }

    @Test func theExactCountOfSwappedPagesIsPreferred() throws {
        let fixture = try CgroupFixture([
            "memory/c/memory.limit_in_bytes": "1000\n",
            "memory/c/memory.usage_in_bytes": "900\n",
            "memory/c/memory.memsw.limit_in_bytes": "2000\n",
            "memory/c/memory.memsw.usage_in_bytes": "800\n",
            "memory/c/memory.stat": "total_swap 123\n",
        ])
        #expect(try fixture.legacyContainer("/c").readMemory(scratch).swapUsage == 123)
    }

    @Test func noSwapAccounting() throws {
        let fixture = try CgroupFixture([
            "memory/c/memory.limit_in_bytes": "1000\n",
            "memory/c/memory.usage_in_bytes": "900\n",
        ])
        let facts = try fixture.legacyContainer("/c").readMemory(scratch)
        #expect(!facts.swapAccounted)
        #expect(facts.swapUsage == 0)
    }

    @Test(arguments: [("-1", "100000", nil), ("50000", "100000", 1), ("250000", "100000", 3)])
    func quota(_ quota: String, _ period: String, _ cpus: Int?) throws {
        let fixture = try CgroupFixture([
            "cpu/c/cpu.cfs_quota_us": quota + "\n", "cpu/c/cpu.cfs_period_us": period + "\n",
        ])
        #expect(try fixture.legacyContainer("/c").readQuota(scratch) == cpus)
    }

    @Test func cpuTimeInTicks() throws {
        let fixture = try CgroupFixture([
            "cpu/c/cpu.cfs_quota_us": "-1\n",
            "cpuacct/c/cpuacct.stat": "user 12\nsystem 3\n",
            "cpuacct/c/cpuacct.usage_percpu": "100 200 \n",
        ])
        let container = try fixture.legacyContainer("/c")
        let tick = Clock.nanosecondsPerTick
        #expect(
            try container.readCPUTime(scratch) == CPUTime(user: 12 * tick, system: 3 * tick))
        var times: [UInt64] = []
        #expect(try container.readCPUTimePerCPU(scratch, into: &times))
        #expect(times == [100, 200])
    }

    @Test func cpusetFallsBackToTheRequestedOne() throws {
        let fixture = try CgroupFixture([
            "cpuset/cpuset.cpus": "0-7\n", "cpuset/c/cpuset.cpus": "2-3\n",
            "cpuset/c/d/cpuset.cpus": "\n",
        ])
        #expect(try fixture.legacyContainer("/c").readCPUSet(scratch)?.string == "2-3")
        #expect(try fixture.legacyContainer("/c/d").readCPUSet(scratch)?.string == "2-3")
    }

    @Test func ioOfWhicheverLayerCounts() throws {
        let fixture = try CgroupFixture([
            "memory/c/memory.limit_in_bytes": "1\n",
            "blkio/c/blkio.throttle.io_service_bytes_recursive": "Total 0\n",
            "blkio/c/blkio.throttle.io_serviced_recursive": "Total 0\n",
            "blkio/c/blkio.bfq.io_service_bytes_recursive": "8:0 Read 512\nTotal 512\n",
            "blkio/c/blkio.bfq.io_serviced_recursive": "8:0 Read 1\nTotal 1\n",
        ])
        var counters: [IOCounters] = []
        try fixture.legacyContainer("/c").readIO(scratch, into: &counters)
        #expect(counters.map(\.readBytes) == [512])
        #expect(counters.map(\.reads) == [1])
    }
}

@Suite struct ScratchTests {
    @Test func growsToTheFile() throws {
        let text = String(repeating: "x", count: 100_000)
        let fixture = try CgroupFixture(["big": text])
        let file = try FileDescriptor.open(fixture.root + "/big")
        let scratch = Scratch(capacity: 64)
        #expect(try scratch.read(file.raw).count == 100_000)
        #expect(try scratch.read(file.raw, single: true).count == 100_000)
    }

    @Test func filesThatComeInPagesAreReadToTheirEnd() throws {
        // One record per process: read in pages, each of them short.
        let file = try FileDescriptor.open("/proc/self/mountinfo")
        let scratch = Scratch()
        let whole = try readFile("/proc/self/mountinfo")
        #expect(try Array(scratch.read(file.raw)) == whole)
    }
}
