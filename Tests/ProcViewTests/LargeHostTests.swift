import Cgroups
import KernelText
import Testing

@testable import ProcView

/// A host with 256 CPUs in two packages and 1 TB, made by hand: files of more than 64 kB.
@Suite struct LargeHostTests {
    private static let cpus = 256

    private static let cpuinfo: String = {
        var text = ""
        for cpu in 0..<cpus {
            // Threads of a core are 128 apart, as on such machines.
            let core = cpu % 128
            text += """
                processor\t: \(cpu)
                vendor_id\t: AuthenticAMD
                model name\t: AMD EPYC 7763 64-Core Processor
                physical id\t: \(core / 64)
                siblings\t: 128
                core id\t\t: \(core % 64)
                cpu cores\t: 64
                apicid\t\t: \(core * 2 + cpu / 128)
                flags\t\t: \(String(repeating: "fpu vme de pse tsc msr ", count: 40))
                power management: ts ttp tm hwpstate cpb eff_freq_ro [13] [14]


                """
        }
        return text
    }()

    private static let stat: String = {
        var text = "cpu  \(1 << 40) 1 2 3 4 5 6 7 8 9\n"
        for cpu in 0..<cpus { text += "cpu\(cpu) \(1 << 32) 1 2 3 4 5 6 7 8 9\n" }
        text += "intr 99999999999" + String(repeating: " 4294967295", count: 8000) + "\n"
        return text
            + "ctxt 1\nbtime 1700000000\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n"
            + "softirq 10 1 1 1 1 1 1 1 1 1 1\n"
    }()

    private static let meminfo = """
        MemTotal:       1056784192 kB
        MemFree:        1000000000 kB
        MemAvailable:   1040000000 kB
        Buffers:          123456 kB
        Cached:         40000000 kB
        SwapTotal:             0 kB
        SwapFree:              0 kB
        CommitLimit:    528392096 kB
        Committed_AS:   12345678 kB
        HugePages_Total:  524288
        HugePages_Free:   524288
        Hugepagesize:       2048 kB
        Hugetlb:        1073741824 kB

        """

    @Test func allOfCpuinfo() {
        #expect(Self.cpuinfo.utf8.count > 65536 * 2)
        let out = rendered(Self.cpuinfo) {
            Cpuinfo(visible: CPUList(Array(0..<Self.cpus))).render(host: $0, into: $1)
        }
        #expect(out == Self.cpuinfo)
    }

    @Test func halfOfCpuinfo() {
        // One thread of each core of both packages.
        let out = rendered(Self.cpuinfo) {
            Cpuinfo(visible: CPUList(Array(0..<128))).render(host: $0, into: $1)
        }
        #expect(out.utf8.count > 65536)
        let lines = out.split(separator: "\n")
        #expect(
            lines.filter { $0.hasPrefix("processor") }
                == (0..<128).map { "processor\t: \($0)" })
        #expect(lines.filter { $0 == "siblings\t: 64" }.count == 128)
        #expect(lines.filter { $0 == "cpu cores\t: 64" }.count == 128)
    }

    @Test func wholePackage() {
        let visible = Array(64..<128) + Array(192..<256)
        let out = rendered(Self.cpuinfo) {
            Cpuinfo(visible: CPUList(visible)).render(host: $0, into: $1)
        }
        let lines = out.split(separator: "\n")
        #expect(lines.filter { $0 == "siblings\t: 128" }.count == 128)
        #expect(lines.filter { $0 == "cpu cores\t: 64" }.count == 128)
        #expect(lines.filter { $0 == "physical id\t: 1" }.count == 128)
        #expect(lines.contains("processor\t: 127") && !lines.contains("processor\t: 128"))
    }

    @Test func statKeepsEveryColumn() {
        #expect(Self.stat.utf8.count > 65536)
        var ledger = CPULedger()
        let wall: UInt64 = 1_000_000_000 * 86400 * 365
        ledger.update(
            .init(age: wall, time: CPUTime(user: wall * 100, system: wall)),
            visible: CPUList(Array(0..<Self.cpus)))
        let out = rendered(Self.stat) {
            Stat(ledger: ledger, processes: 1, running: 1, blocked: 0).render(
                host: $0, into: $1)
        }
        let before = Self.stat.split(separator: "\n")
        let after = out.split(separator: "\n")
        #expect(before.count == after.count)
        for (old, new) in zip(before, after) {
            let old = old.split(separator: " ")
            let new = new.split(separator: " ")
            #expect(old[0] == new[0] && old.count == new.count)
        }
        let ticks = wall / 10_000_000
        #expect(after[0].hasPrefix("cpu  \(ticks * 100) 0 \(ticks) \(ticks * 155) 0 "))
    }

    @Test func aTerabyte() {
        let host = withBytes(Self.meminfo, HostMemory.init(meminfo:))
        var facts = MemoryFacts()
        facts.usage = 512 << 30
        let out = rendered(Self.meminfo) {
            Meminfo(facts, host: host).render(host: $0, into: $1)
        }
        let lines = out.split(separator: "\n")
        #expect(lines[0] == "MemTotal:       1056784192 kB")
        #expect(lines[1] == "MemFree:        \(1_056_784_192 - (512 << 20)) kB")
        #expect(lines[9] == "HugePages_Total:   524288")
        #expect(lines[12] == "Hugetlb:        1073741824 kB")
    }

    @Test func masksOf256CPUs() {
        let words = Array(repeating: "ffffffff", count: 8).joined(separator: ",") + "\n"
        let out = rendered(words) {
            CPUTopology.renderMask(host: $0, visible: CPUList(Array(100..<140)), into: $1)
        }
        #expect(
            out == "00000000,00000000,00000000,00000fff,fffffff0,00000000,00000000,00000000\n")
    }
}
