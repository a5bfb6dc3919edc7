import Foundation
import KernelText
import Syscalls
import Testing

@testable import Cgroups
@testable import ProcView

/// What holds of every container, on cgroup trees made at random: depth, limits above and
/// below the usage, `max`, files that are missing, numbers that no kernel would give.
@Suite struct InvariantTests {
    @Test(arguments: [true, false]) func memory(_ unified: Bool) throws {
        var random = SeededGenerator(state: unified ? 11 : 12)
        for _ in 0..<60 {
            let tree = try RandomTree(unified: unified, &random)
            let host = tree.meminfo(&random)
            let total = withBytes(host, HostMemory.init(meminfo:)).total
            let facts = try tree.container.readMemory(Scratch(), hostSize: total)
            let showSwap = Int.random(in: 0..<5, using: &random) > 0
            let memory = withBytes(host, HostMemory.init(meminfo:))
            let text = rendered(host) {
                Meminfo(facts, host: memory, swap: showSwap).render(host: $0, into: $1)
            }
            // What is not asked for makes no difference.
            let asked = try tree.container.readMemory(
                Scratch(), memory.parts, hostSize: memory.total)
            #expect(
                text
                    == rendered(host) {
                        Meminfo(asked, host: memory, swap: showSwap).render(host: $0, into: $1)
                    })
            expectGrammatical("proc/meminfo", host)
            expectGrammatical("proc/meminfo", text)
            let here = meminfoValues(text)
            let there = meminfoValues(host)
            func value(_ name: String) throws -> UInt64 { try #require(here[name], "\(name)") }

            #expect(try value("MemTotal") > 0)
            #expect(
                try value("MemFree") + value("Buffers") + value("Cached") <= value("MemTotal"))
            #expect(try value("MemAvailable") <= value("MemTotal"))
            #expect(try value("MemFree") <= value("MemAvailable"))
            try expectPartsWithinTheWhole(here)
            #expect(try value("SwapFree") <= value("SwapTotal"))
            #expect(try value("HugePages_Free") <= value("HugePages_Total"))
            for (name, most) in there {
                let shown = try value(name)
                switch name {
                case "MemFree":
                    #expect(shown <= there["MemAvailable"] ?? 0)
                case "Cached":
                    #expect(shown <= (there["MemTotal"] ?? 0))
                default:
                    #expect(shown <= most, "\(name)")
                }
            }
            // What sysinfo(2) would be answered from, and the other files: the same numbers.
            let view = MemoryView(facts, host: memory, swap: showSwap)
            #expect(view.total / 1024 == here["MemTotal"])
            #expect(view.free / 1024 == here["MemFree"])
            #expect(view.swapTotal / 1024 == here["SwapTotal"])
            #expect(view.swapFree / 1024 == here["SwapFree"])
            let heading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
            let swapsText = rendered(heading) { renderSwaps(view, host: $0, into: $1) }
            expectGrammatical("proc/swaps", swapsText)
            let swaps =
                swapsText
                .split(separator: "\n").dropFirst().first?.split { $0 == " " || $0 == "\t" }
            #expect((swaps == nil) == (view.swapTotal == 0))
            if let swaps {
                #expect(UInt64(swaps[2]) == here["SwapTotal"])
                #expect(try #require(UInt64(swaps[3])) <= value("SwapTotal"))
            }
        }
    }

    @Test(arguments: [true, false]) func processors(_ unified: Bool) throws {
        var random = SeededGenerator(state: unified ? 21 : 22)
        let scratch = Scratch()
        for _ in 0..<40 {
            let tree = try RandomTree(unified: unified, &random)
            let online = CPUList(
                (0..<Int.random(in: 1...64, using: &random)).filter { cpu in
                    cpu == 0 || Int.random(in: 0..<4, using: &random) > 0
                })
            // As VisibleCPUs decides.
            let text = try tree.container.readCPUSet(scratch)
            let cpuset = text.flatMap(CPUList.init(parsing:)) ?? online
            let allowed = online.intersection(cpuset)
            let quota = try tree.container.readQuota(scratch)
            #expect((quota ?? 1) >= 1)
            let visible = (allowed.isEmpty ? online : allowed).prefix(max(quota ?? .max, 1))
            #expect(!visible.isEmpty && visible.count <= online.count)

            let host = online.cpus.map {
                "processor\t: \($0)\nphysical id\t: \($0 / 8)\nsiblings\t: 8\n"
                    + "core id\t\t: \($0 % 8 / 2)\ncpu cores\t: 4\n\n"
            }.joined()
            let cpuinfoText = rendered(host) {
                Cpuinfo(visible: visible).render(host: $0, into: $1)
            }
            expectGrammatical("proc/cpuinfo", cpuinfoText)
            let cpuinfo = cpuinfoText.split(separator: "\n")
            #expect(
                cpuinfo.filter { $0.hasPrefix("processor") }
                    == visible.cpus.map { "processor\t: \($0)" })
            for line in cpuinfo where line.hasPrefix("siblings") {
                let count = try #require(Int(line.drop { $0 != ":" }.dropFirst(2)))
                #expect((1...visible.count).contains(count))
            }
            let time = try #require(try tree.container.readCPUTime(scratch))
            var ledger = CPULedger()
            ledger.update(.init(age: 1 << 40, time: time), visible: visible)
            let hostStat =
                "cpu  1 2 3 4 5 6 7 8 9 10\n"
                + online.cpus.map { "cpu\($0) 1 2 3 4 5 6 7 8 9 10\n" }.joined()
                + "intr 7 1 2\nctxt 5\nbtime 1000\nprocesses 7\nprocs_running 1\n"
                + "procs_blocked 0\nsoftirq 8 1 1 1 1 1 1 1 1 0 0\n"
            expectGrammatical("proc/stat", hostStat)
            let statText = rendered(hostStat) {
                Stat(ledger: ledger, processes: 1, running: 1, blocked: 0)
                    .render(host: $0, into: $1)
            }
            expectGrammatical("proc/stat", statText)
            let stat = statText.split(separator: "\n")
            #expect(
                stat.map { $0.prefix { $0 != " " } }
                    == ["cpu"] + visible.cpus.map { "cpu\($0)" } + [
                        "intr", "ctxt", "btime", "processes", "procs_running", "procs_blocked",
                        "softirq",
                    ])
            // The sum over the CPUs is the first line, but for rounding.
            for column in [1, 3, 4] {
                let values = stat.prefix(visible.count + 1).map {
                    UInt64($0.split(separator: " ")[column]) ?? .max
                }
                let sum = values.dropFirst().reduce(0, clampedSum)
                #expect(sum <= values[0] && values[0] - sum <= UInt64(visible.count))
            }
        }
    }
}

/// The kernel's own rules for the lines of `/proc/meminfo`. Values are in kB, rounded down.
private func expectPartsWithinTheWhole(_ values: [String: UInt64]) throws {
    func sum(_ names: String...) throws -> UInt64 {
        try names.reduce(0) { $0 + (try #require(values[$1], "\($1)")) }
    }
    let room = try sum("MemTotal") - sum("MemFree")
    let kernel = try sum(
        "Slab", "KernelStack", "PageTables", "SecPageTables", "Percpu", "Zswap")
    #expect(try sum("AnonPages", "Cached", "Buffers") + kernel <= room + 1)
    #expect(try sum("Active", "Inactive", "Unevictable") <= room + 1)
    for (whole, first, second) in [
        ("Active", "Active(anon)", "Active(file)"),
        ("Inactive", "Inactive(anon)", "Inactive(file)"),
        ("Slab", "SReclaimable", "SUnreclaim"),
    ] {
        let parts = try sum(first, second)
        #expect(try sum(whole) == parts || sum(whole) == parts + 1, "\(whole)")
    }
    for (part, whole) in [
        ("Shmem", "Cached"), ("Mapped", "Cached"), ("Dirty", "Cached"),
        ("FileHugePages", "Cached"), ("AnonHugePages", "AnonPages"),
        ("ShmemHugePages", "Shmem"), ("KReclaimable", "Slab"),
    ] {
        #expect(try sum(part) <= sum(whole), "\(part)")
    }
    #expect(try sum("SwapFree", "SwapCached") <= sum("SwapTotal"))
    #expect(try sum("SwapFree", "Zswapped") <= sum("SwapTotal"))
}

/// A path of cgroups with files that say something at random.
private final class RandomTree {
    private let root: String
    let container: ContainerCgroups

    init(unified: Bool, _ random: inout SeededGenerator) throws {
        let root = NSTemporaryDirectory() + "random-cgroups-" + UUID().uuidString
        self.root = root
        let depth = Int.random(in: 1...4, using: &random)
        let path = (0..<depth).map { "/c\($0)" }.joined()
        let controllers: [Controller] = [.memory, .cpu, .cpuacct, .cpuset, .hugetlb]
        let tops = unified ? [root] : controllers.map { "\(root)/\($0.rawValue)" }
        let hugetlb = Bool.random(using: &random)
        for top in tops {
            var directory = top
            for level in 0...depth {
                if level > 0 { directory += "/c\(level - 1)" }
                try FileManager.default.createDirectory(
                    atPath: directory, withIntermediateDirectories: true)
                try "".write(
                    toFile: directory + "/cgroup.procs", atomically: false, encoding: .utf8)
                let controller = unified ? nil : String(top.dropFirst(root.count + 1))
                for attribute in Attribute.allCases {
                    guard let name = attribute.fileName(unified: unified, hugePage: "2MB"),
                        controller == nil || Self.controller(of: name) == controller,
                        hugetlb || !name.hasPrefix("hugetlb"),
                        // The root has no limits; a controller may end above the container.
                        level > 0,
                        Int.random(in: 0..<8, using: &random) > 0
                            || attribute == .cpuStat
                    else { continue }
                    try Self.content(of: attribute, unified: unified, &random).write(
                        toFile: directory + "/" + name, atomically: false, encoding: .utf8)
                }
            }
        }
        if unified {
            let mount = HierarchyMount(
                unified: true, controllers: [], mountPoint: root, root: "/")
            container = try ContainerCgroups(
                CgroupPaths(unified: path), in: CgroupTree(mounts: CgroupMounts([mount])))
        } else {
            let mounts = controllers.map {
                HierarchyMount(
                    unified: false, controllers: [$0], mountPoint: "\(root)/\($0.rawValue)",
                    root: "/")
            }
            container = try ContainerCgroups(
                CgroupPaths(
                    legacy: Dictionary(uniqueKeysWithValues: controllers.map { ($0, path) })),
                in: CgroupTree(mounts: CgroupMounts(mounts)))
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    private static func controller(of file: String) -> String {
        String(file.prefix { $0 != "." })
    }

    /// Mostly sizes of real containers, sometimes anything.
    private static func amount(_ random: inout SeededGenerator) -> UInt64 {
        if Int.random(in: 0..<10, using: &random) == 0 {
            return UInt64.random(in: 0...UInt64.max, using: &random)
        }
        return UInt64.random(
            in: 0...(1 << UInt64.random(in: 0...36, using: &random)), using: &random)
    }

    private static func content(
        of attribute: Attribute, unified: Bool, _ random: inout SeededGenerator
    ) -> String {
        let amount = amount(&random)
        let none = Int.random(in: 0..<4, using: &random) == 0
        switch attribute {
        case .memoryStat:
            return MemoryField.allCases.compactMap { unified ? $0.unifiedKey : $0.legacyKey }
                .filter { _ in Int.random(in: 0..<10, using: &random) > 0 }
                .map { "\($0) \(Self.amount(&random))\n" }.joined()
        case .memoryLimit, .memoryHigh, .swapLimit, .hugetlbLimit:
            return (none ? (unified ? "max" : "9223372036854771712") : "\(amount)") + "\n"
        case .cpuQuota:
            let quota = UInt64.random(in: 1000...2_000_000, using: &random)
            if unified { return (none ? "max" : "\(quota)") + " 100000\n" }
            return none ? "-1\n" : "\(quota)\n"
        case .cpuPeriod: return "100000\n"
        case .cpuStat:
            // Not more than fits into the age that the test says, on one CPU.
            let time = UInt64.random(in: 0...(1 << 18), using: &random)
            return unified
                ? "usage_usec 1\nuser_usec \(time)\nsystem_usec \(time / 2)\n"
                : "user \(time / 100)\nsystem \(time / 200)\n"
        case .cpusEffective, .cpusRequested:
            if none { return "\n" }
            let first = Int.random(in: 0...70, using: &random)
            return "\(first)-\(first + Int.random(in: 0...16, using: &random))\n"
        default: return "\(amount)\n"
        }
    }

    /// A host's file, with numbers that fit together as a kernel's do.
    func meminfo(_ random: inout SeededGenerator) -> String {
        let total = UInt64.random(in: 1...(1 << 30), using: &random)
        let swap =
            Bool.random(using: &random) ? UInt64.random(in: 0...total, using: &random) : 0
        let huge =
            Bool.random(using: &random)
            ? UInt64.random(in: 0...(total / 2048 / 2), using: &random) : 0
        var values: [(String, UInt64)] = [
            ("MemTotal", total), ("MemFree", .random(in: 0...total, using: &random)),
            ("MemAvailable", .random(in: 0...total, using: &random)),
            ("SwapTotal", swap), ("SwapFree", .random(in: 0...swap, using: &random)),
            ("CommitLimit", total / 2 + swap), ("VmallocTotal", 34_359_738_367),
            ("HugePages_Total", huge),
            ("HugePages_Free", .random(in: 0...huge, using: &random)),
            ("Hugepagesize", 2048), ("Hugetlb", huge * 2048),
        ]
        for field in MeminfoField.allCases
        where !values.contains(where: { $0.0 == "\(field.name)" }) {
            values.append(("\(field.name)", .random(in: 0...total, using: &random)))
        }
        func sum(_ name: String, _ first: String, _ second: String) {
            let parts = values.filter { $0.0 == first || $0.0 == second }
            let sum = parts.reduce(0) { $0 + $1.1 }
            values = values.map { $0.0 == name ? (name, sum) : $0 }
        }
        sum("Active", "Active(anon)", "Active(file)")
        sum("Inactive", "Inactive(anon)", "Inactive(file)")
        sum("Slab", "SReclaimable", "SUnreclaim")
        func within(_ part: String, _ whole: String) {
            let most = values.first { $0.0 == whole }?.1 ?? 0
            values = values.map { $0.0 == part ? (part, min($0.1, most)) : $0 }
        }
        within("AnonHugePages", "AnonPages")
        within("ShmemHugePages", "Shmem")
        within("KReclaimable", "Slab")
        values.append(("SomethingNew", 5))
        return values.map { name, value in
            let isPages = name.hasPrefix("HugePages_")
            let label = isPages || name == "HardwareCorrupted" ? 19 : 16
            let digits = label == 19 ? 5 : 8
            let number = "\(value)"
            return "\(name):".padding(
                toLength: max(label, name.count + 1), withPad: " ", startingAt: 0)
                + String(repeating: " ", count: max(digits - number.count, 0)) + number
                + (isPages ? "\n" : " kB\n")
        }.joined()
    }
}
