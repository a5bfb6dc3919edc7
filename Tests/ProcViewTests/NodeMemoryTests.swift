import KernelText
import Testing

@testable import Cgroups
@testable import ProcView

@Suite struct NodeMemoryTests {
    /// A machine of 32 GB with two nodes.
    private static let host = withBytes(
        """
        MemTotal:       33554432 kB
        MemFree:        30000000 kB
        MemAvailable:   31000000 kB
        AnonPages:       1000000 kB
        Active(anon):    1000000 kB
        Inactive(anon):  1000000 kB
        Active(file):    1000000 kB
        Inactive(file):  1000000 kB
        Slab:            1000000 kB
        SReclaimable:    1000000 kB
        SUnreclaim:      1000000 kB

        """, HostMemory.init(meminfo:))

    private static let names = [
        "MemTotal", "MemFree", "MemUsed", "SwapCached", "Active", "Inactive", "Active(anon)",
        "Inactive(anon)", "Active(file)", "Inactive(file)", "Unevictable", "Dirty",
        "FilePages", "Mapped", "AnonPages", "Shmem", "KernelStack", "PageTables", "Bounce",
    ]

    private static func hostText(_ node: Int) -> String {
        names.map { name in
            let name = name + ":"
            let padding = String(repeating: " ", count: max(16 - name.count, 0))
            return "Node \(node) \(name)\(padding)16777216 kB\n"
        }.joined() + "Node \(node) HugePages_Total:     3\n"
    }

    /// A container of 1 GB with 310 MB in use: what of it is where, says `text`.
    private static func facts(_ text: String, unified: Bool) -> MemoryFacts {
        var facts = MemoryFacts()
        facts.limit = 1 << 30
        facts.usage = 310 << 20
        facts.stat = withBytes(text) { MemoryStat(parsing: $0, unified: unified) }
        facts.obtainable = (1 << 30) - (310 << 20) + facts.stat.reclaimable
        return facts
    }

    private static let unifiedStat = """
        anon 104857600
        file 209715200
        kernel_stack 98304
        file_mapped 4096
        inactive_anon 52428800
        active_anon 52428800
        inactive_file 209715200
        active_file 0
        """
    private static let unifiedNodes = """
        anon N0=104857600 N1=0
        file N0=52428800 N1=157286400
        kernel_stack N0=65536 N1=32768
        file_mapped N0=4096 N1=0
        inactive_anon N0=52428800 N1=0
        active_anon N0=52428800 N1=0
        inactive_file N0=52428800 N1=157286400
        active_file N0=0 N1=0
        """
    private static let legacyStat = """
        total_cache 209715200
        total_rss 104857600
        total_inactive_anon 52428800
        total_active_anon 52428800
        total_inactive_file 209715200
        """
    /// In pages of 4 kB.
    private static let legacyNodes = """
        total=1 N0=1 N1=0
        hierarchical_total=76800 N0=38400 N1=38400
        hierarchical_file=51200 N0=12800 N1=38400
        hierarchical_anon=25600 N0=25600 N1=0
        hierarchical_unevictable=0 N0=0 N1=0
        """

    private static func usage(_ nodes: [Int], unified: Bool) -> [NodeUsage] {
        var usage = nodes.map(NodeUsage.init(node:))
        withBytes(unified ? unifiedNodes : legacyNodes) {
            usage.add($0, unified: unified, pageSize: 4096)
        }
        return usage
    }

    /// The lines of the node's file, by name.
    private static func values(_ node: Int, of nodes: [Int], unified: Bool) -> [String: UInt64]
    {
        let facts = facts(unified ? unifiedStat : legacyStat, unified: unified)
        let memory = NodeMemory(
            Meminfo(facts, host: host), node: node,
            of: usage(nodes, unified: unified).map { NodeMemory.Node($0, size: 16 << 30) })
        let text = rendered(hostText(node)) { memory.renderMeminfo(host: $0, into: $1) }
        // Each line is as long as the kernel's.
        for (line, original) in zip(
            text.split(separator: "\n"), hostText(node).split(separator: "\n"))
        {
            #expect(line.count == original.count)
            #expect(line.prefix { $0 != ":" } == original.prefix { $0 != ":" })
        }
        return meminfoValues(text.replacing("Node \(node) ", with: ""))
    }

    @Test(arguments: [true, false]) func nodesAddUpToTheContainer(_ unified: Bool) throws {
        let facts = Self.facts(
            unified ? Self.unifiedStat : Self.legacyStat, unified: unified)
        let view = MemoryView(facts, host: Self.host)
        let first = Self.values(0, of: [0, 1], unified: unified)
        let second = Self.values(1, of: [0, 1], unified: unified)
        func sum(_ name: String) -> UInt64 { (first[name] ?? 0) + (second[name] ?? 0) }
        #expect(first["MemTotal"] == 512 << 10 && second["MemTotal"] == 512 << 10)
        #expect(sum("MemFree") == view.free / 1024)
        #expect(sum("MemUsed") == (view.total - view.free) / 1024)
        #expect(sum("AnonPages") == 100 << 10)
        #expect(sum("FilePages") == 200 << 10)
        #expect(sum("Inactive(file)") == 200 << 10)
        #expect(sum("Active(anon)") == 50 << 10)
        for values in [first, second] {
            for name in ["AnonPages", "FilePages", "Active", "Inactive"] {
                #expect(try #require(values[name]) <= values["MemUsed"] ?? 0, "\(name)")
            }
        }
        // Where the pages are.
        #expect(first["AnonPages"] == 100 << 10 && second["AnonPages"] == 0)
        #expect(first["FilePages"] == 50 << 10 && second["FilePages"] == 150 << 10)
        #expect(first["Bounce"] == 0)
        if unified { #expect(first["KernelStack"] == 64 && second["KernelStack"] == 32) }
    }

    /// Of a single node all is the container's; of one that it has no memory of nothing.
    @Test(arguments: [true, false]) func nodesOfTheCpuset(_ unified: Bool) {
        let own = Self.values(1, of: [1], unified: unified)
        #expect(own["MemTotal"] == 1 << 20)
        #expect(own["AnonPages"] == 100 << 10)
        #expect(own["FilePages"] == 200 << 10)
        let other = Self.values(0, of: [1], unified: unified)
        #expect(other.values.allSatisfy { $0 == 0 })
    }

    @Test func sharesAddUp() {
        var random = SeededGenerator(state: 5)
        for _ in 0..<500 {
            let weights = (0..<Int.random(in: 1...8, using: &random)).map { _ in
                UInt64.random(
                    in: 0...(.max >> UInt64.random(in: 3...63, using: &random)), using: &random)
            }
            let value = UInt64.random(
                in: 0...(.max >> UInt64.random(in: 0...63, using: &random)), using: &random)
            let shares = NodeMemory.shares(of: value, by: weights)
            #expect(shares.reduce(0, clampedSum) == value)
            let room = weights.map { $0 / 2 }
            let fitted = NodeMemory.fit(shares, into: room)
            #expect(zip(fitted, room).allSatisfy { $0 <= $1 })
            #expect(
                fitted.reduce(0, clampedSum) == min(value, room.reduce(0, clampedSum)))
        }
        #expect(NodeMemory.shares(of: 7, by: []) == [])
        #expect(NodeMemory.shares(of: 7, by: [0, 0]) == [3, 4])
    }

    @Test(arguments: ["", "x", "anon N", "anon N0", "anon N0= N1=7", "anon N9=7", "N0=1"])
    func whatNoKernelWrites(_ text: String) {
        var usage = [NodeUsage(node: 0), NodeUsage(node: 1)]
        withBytes(text) { usage.add($0, unified: true, pageSize: 4096) }
        #expect(usage[0].stat.bytes(.anon) == 0)
    }
}
