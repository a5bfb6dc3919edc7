import Cgroups
import Foundation
import KernelText
import Syscalls
import Testing

@testable import ProcView

/// What each renderer makes of the host's files and a cgroup of three kernels, letter by
/// letter. After an intended change: `UPDATE_GOLDEN=1 Tests/unit --filter Golden`, and look at
/// the difference.
@Suite struct GoldenTests {
    /// A cgroup and a machine that were captured together.
    struct Capture: CustomTestStringConvertible, Sendable {
        let kernel: Kernel
        let unified: Bool

        var testDescription: String { kernel.name }

        static let all = Kernel.all.map {
            Capture(
                kernel: $0,
                unified: FileManager.default.fileExists(atPath: directory($0, unified: true)))
        }

        private static func directory(_ kernel: Kernel, unified: Bool) -> String {
            let name = kernel.name + (unified ? "-v2" : "-v1")
            return repository.appendingPathComponent("Tests/CgroupsTests/Fixtures/\(name)").path
        }

        /// The cgroup `/lxcfs-fixture/leaf`.
        func container() throws -> ContainerCgroups {
            let root = Self.directory(kernel, unified: unified)
            let path = "/lxcfs-fixture/leaf"
            if unified {
                let mount = HierarchyMount(
                    unified: true, controllers: [], mountPoint: root, root: "/")
                return try ContainerCgroups(
                    CgroupPaths(unified: path), in: CgroupTree(mounts: CgroupMounts([mount])))
            }
            let controllers = Controller.allCases.filter {
                FileManager.default.fileExists(atPath: "\(root)/\($0.rawValue)\(path)")
            }
            let mounts = controllers.map {
                HierarchyMount(
                    unified: false, controllers: [$0], mountPoint: "\(root)/\($0.rawValue)",
                    root: "/")
            }
            return try ContainerCgroups(
                CgroupPaths(
                    legacy: Dictionary(uniqueKeysWithValues: controllers.map { ($0, path) })),
                in: CgroupTree(mounts: CgroupMounts(mounts)))
        }
    }

    /// - Parameter source: the host's file; that of the same name below `proc` if nil.
    private func check(
        _ capture: Capture, _ file: String, of source: String? = nil,
        _ body: (Bytes, TextBuffer) -> Void
    ) throws {
        let out = rendered(try capture.kernel.text(source ?? "proc/\(file)"), body)
        let golden = repository.appendingPathComponent(
            "Tests/ProcViewTests/Golden/\(capture.kernel.name)/\(file)")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil {
            try FileManager.default.createDirectory(
                at: golden.deletingLastPathComponent(), withIntermediateDirectories: true)
            try out.write(to: golden, atomically: true, encoding: .utf8)
        }
        let expected = try String(contentsOf: golden, encoding: .utf8)
        let lines = expected.split(separator: "\n", omittingEmptySubsequences: false)
        let found = out.split(separator: "\n", omittingEmptySubsequences: false)
        for (old, new) in zip(lines, found) where old != new { #expect(new == old) }
        #expect(lines.count == found.count)
    }

    @Test func threeKernelsAndBothVersionsOfCgroups() {
        #expect(Capture.all.count >= 3)
        #expect(Set(Capture.all.map(\.unified)).count == 2)
    }

    @Test(arguments: Capture.all) func memory(_ capture: Capture) throws {
        let facts = try capture.container().readMemory(Scratch())
        #expect(facts.limit == 256 << 20)
        try check(capture, "meminfo") {
            Meminfo(facts, host: HostMemory(meminfo: $0)).render(host: $0, into: $1)
        }
        let host = withBytes(
            try capture.kernel.text("proc/meminfo"), HostMemory.init(meminfo:))
        try check(capture, "swaps") {
            renderSwaps(MemoryView(facts, host: host), host: $0, into: $1)
        }
    }

    @Test(arguments: Capture.all) func processors(_ capture: Capture) throws {
        let container = try capture.container()
        let scratch = Scratch()
        #expect(try container.readQuota(scratch) == 1)
        let online = try capture.kernel.text("sys/devices/system/cpu/online")
        let cpus = try #require(CPUList(parsing: online))
        try check(capture, "cpuinfo") {
            Cpuinfo(visible: CPUList(cpus.cpus.suffix(1))).render(host: $0, into: $1)
        }
        let time = try #require(try container.readCPUTime(scratch))
        var perCPU: [UInt64] = []
        _ = try container.readCPUTimePerCPU(scratch, into: &perCPU)
        var ledger = CPULedger()
        ledger.update(
            .init(age: 60_000_000_000, time: time, perCPU: Array(perCPU.prefix(2))),
            visible: CPUList([0, 1]))
        try check(capture, "stat") {
            Stat(ledger: ledger, processes: 7, running: 2, blocked: 1).render(
                host: $0, into: $1)
        }
        try check(capture, "uptime") { _, out in
            renderUptime(uptime: 60_000_000_000, idle: ledger.total.idle, into: out)
        }
        try check(capture, "loadavg") { _, out in
            var tasks = TaskCounts()
            tasks.running = 2
            tasks.total = 9
            tasks.lastPID = 7
            LoadAverage(active: 2, age: 60_000_000_000).render(tasks, into: out)
        }
    }

    @Test(arguments: Capture.all) func disks(_ capture: Capture) throws {
        var counters: [IOCounters] = []
        try capture.container().readIO(Scratch(), into: &counters)
        // On 6.18 v1 without throttling and BFQ the kernel counts nothing.
        #expect(counters.isEmpty != capture.unified)
        try check(capture, "diskstats") { renderDiskstats(counters, host: $0, into: $1) }
    }

    @Test(arguments: Capture.all) func memoryEvents(_ capture: Capture) throws {
        let container = try capture.container()
        let scratch = Scratch()
        let facts = try container.readMemory(scratch)
        let host = withBytes(
            try capture.kernel.text("proc/meminfo"), HostMemory.init(meminfo:))
        var io: [IOCounters] = []
        try container.readIO(scratch, into: &io)
        let transferred = withBytes(try capture.kernel.text("proc/diskstats")) {
            Transfers(io, diskstats: $0)
        }
        let vmstat = Vmstat(
            Meminfo(facts, host: host), transferred: transferred, pageSize: 4096,
            hugePageSize: 2 << 20)
        let counters = try container.readMemoryCounters(scratch)
        try check(capture, "vmstat") { vmstat.render(host: $0, counters, into: $1) }
    }

    /// The node of a machine that has one: all of `/proc/meminfo`.
    @Test(arguments: Capture.all) func nodes(_ capture: Capture) throws {
        let directory = "sys/devices/system/node/node0/"
        guard (try? capture.kernel.text(directory + "meminfo")) != nil else { return }
        let facts = try capture.container().readMemory(Scratch())
        let host = withBytes(
            try capture.kernel.text("proc/meminfo"), HostMemory.init(meminfo:))
        let node = NodeMemory(
            Meminfo(facts, host: host), node: 0,
            of: [NodeMemory.Node(NodeUsage(node: 0), size: host.total)])
        try check(capture, "node0/meminfo", of: directory + "meminfo") {
            node.renderMeminfo(host: $0, into: $1)
        }
        try check(capture, "node0/vmstat", of: directory + "vmstat") {
            node.renderVmstat(host: $0, pageSize: 4096, hugePageSize: 2 << 20, into: $1)
        }
        try check(capture, "node0/numastat", of: directory + "numastat") {
            NodeMemory.renderNUMAStat(host: $0, into: $1)
        }
    }

    @Test(arguments: Capture.all) func slabs(_ capture: Capture) throws {
        try check(capture, "slabinfo") { renderSlabinfo(host: $0, into: $1) }
    }

    @Test(arguments: Capture.all) func pressure(_ capture: Capture) throws {
        let container = try capture.container()
        let scratch = Scratch()
        for kind in PressureKind.allCases {
            let text = try container.readPressure(kind, scratch)?.string
            #expect((text != nil) == capture.unified)
            if let text { #expect(text.hasPrefix("some avg10=")) }
        }
    }
}
