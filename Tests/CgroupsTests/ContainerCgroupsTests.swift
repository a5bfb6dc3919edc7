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
        #expect(facts.headroom == 10 * megabyte)
        #expect(facts.usage == 20 * megabyte)
        #expect(facts.stat[.file] == 1000)
    }

    @Test func usageAboveTheLimitLeavesNoHeadroom() throws {
        let fixture = try CgroupFixture([
            "c/memory.max": "1000000\n", "c/memory.current": "2000000\n",
        ])
        let facts = try fixture.unifiedContainer("/c").readMemory(scratch)
        #expect(facts.headroom == 0)
    }

    @Test func maxIsNoNumber() throws {
        let fixture = try CgroupFixture([
            "c/memory.max": "max\n", "c/memory.current": "5000\n",
            "c/memory.swap.max": "max\n", "c/memory.swap.current": "77\n",
        ])
        let facts = try fixture.unifiedContainer("/c").readMemory(scratch)
        #expect(facts.limit == nil)
        #expect(facts.headroom == nil)
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
        #expect(facts.headroom == 48 * megabyte)
        #expect(facts.swapLimit == 32 * megabyte)
        #expect(facts.swapUsage == 4 * megabyte)
        #expect(facts.swapHeadroom == 76 * megabyte)
        #expect(facts.stat[.file] == 4096)
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
