import Foundation
import KernelText
import Testing

@testable import Cgroups
@testable import ProcView

/// docs/numbers.md says where every number comes from. So does the code.
@Suite struct TableTests {
    /// The cells of the rows of one section's table, without heading.
    private func table(_ section: String) throws -> [[String]] {
        let text = try String(
            contentsOf: repository.appendingPathComponent("docs/numbers.md"), encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex { $0 == "## \(section)" })
        let rows = lines[(start + 1)...].prefix { !$0.hasPrefix("## ") }
            .filter { $0.hasPrefix("|") }
            .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
        try #require(rows.count > 2)
        return Array(rows.dropFirst(2))
    }

    /// What is written in `code` in a text.
    private func code(_ text: String) -> [String] {
        text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
    }

    private func isZero(_ cell: String) -> Bool { cell == "0" || cell.hasPrefix("0:") }

    @Test func eachMeminfoFieldOfTheRendererIsInTheTable() throws {
        let rows = try table("meminfo")
        // Buffers is known to the renderer only as one more thing that is 0.
        let shown = rows.filter { !(isZero($0[1]) && isZero($0[2])) || $0[0] == "`Buffers`" }
        #expect(
            shown.flatMap { code($0[0]) }.sorted()
                == MeminfoField.allCases.map { "\($0.name)" }.sorted())
    }

    @Test(arguments: Kernel.all) func eachMeminfoFieldOfTheKernelIsInTheTable(
        _ kernel: Kernel
    ) throws {
        let known = Set(try table("meminfo").flatMap { code($0[0]) })
        let names = try kernel.text("proc/meminfo").split(separator: "\n")
            .map { String($0.prefix { $0 != ":" }) }
        #expect(names.filter { !known.contains($0) } == [])
    }

    @Test func eachKeyOfMemoryStatIsInTheTable() throws {
        let rows = try table("meminfo")
        let files = Set(
            Attribute.allCases.flatMap { attribute in
                [true, false].compactMap { attribute.fileName(unified: $0, hugePage: "2MB") }
            })
        for (column, keys) in [
            (1, MemoryField.allCases.compactMap(\.unifiedKey)),
            (2, MemoryField.allCases.compactMap(\.legacyKey)),
        ] {
            let written = Set(rows.flatMap { code($0[column]) }).subtracting(files)
            #expect(written == Set(keys.map { "\($0)" }))
        }
    }

    /// Every file that is read is named, and no other.
    @Test func eachFileIsInTheTables() throws {
        let sections = [
            "meminfo", "stat", "cpuinfo and /sys/devices/system/cpu", "uptime and loadavg",
            "NUMA nodes", "diskstats", "vmstat", "slabinfo and pressure",
        ]
        let rows = try sections.flatMap(table)
        let keys = Set(
            MemoryField.allCases.flatMap { [$0.unifiedKey, $0.legacyKey] }
                .compactMap { $0.map { "\($0)" } })
        // Keys of `memory.stat` are dealt with above, and it is named in the text.
        for unified in [true, false] {
            let files = Set(
                Attribute.allCases.compactMap { $0.fileName(unified: unified, hugePage: "2MB") }
            ).subtracting(["memory.stat"])
            let written = Set(rows.flatMap { code($0[unified ? 1 : 2]) }).subtracting(keys)
                .filter { $0.contains(".") && !$0.hasPrefix("cgroup.") }
            let shared: Set = ["pids.current"]
            #expect(written.union(shared) == files.union(shared))
        }
    }

    /// Lines that say how much there is of something; those of events are one row together.
    @Test func eachAmountOfVmstatIsInTheTable() throws {
        let names = Set(VmstatField.all.map { "\($0.name)" })
        let written = Set(try table("vmstat").flatMap { code($0[0]) })
        #expect(names.subtracting(written) == [])
        #expect(
            written.filter { $0.hasPrefix("nr_") }.subtracting(names) == [
                "nr_file_pages", "nr_zone_write_pending", "nr_dirty_threshold",
                "nr_dirty_background_threshold",
            ])
    }

    @Test(arguments: Kernel.all) func eachLineOfStatIsInTheTable(_ kernel: Kernel) throws {
        let lines = try kernel.text("proc/stat").split(separator: "\n")
        let rows = try table("stat").flatMap { code($0[0]) }
        let columns = lines[0].split(separator: " ").count - 1
        #expect(columns == 10)
        #expect(
            Array(rows.prefix(columns)) == [
                "user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest",
                "guest_nice",
            ])
        let names = lines.map { String($0.prefix { $0 != " " }) }.filter {
            !$0.hasPrefix("cpu")
        }
        #expect(names.allSatisfy(rows.contains))
    }

    /// What the table calls 0 is 0, whatever the host and the cgroup say.
    @Test func whatIsCalledZeroIsZero() throws {
        let rows = try table("meminfo")
        let host = rows.flatMap { code($0[0]) }.map { "\($0): 777777 kB\n" }.joined()
        for unified in [true, false] {
            var facts = MemoryFacts()
            facts.limit = 500 << 20
            facts.obtainable = 400 << 20
            facts.swapUsage = 1 << 20
            for field in MemoryField.allCases
            where (unified ? field.unifiedKey : field.legacyKey) != nil {
                facts.stat[field] = 40960
            }
            // Shared memory is part of it.
            facts.stat[.file] = 81920
            facts.swapAccounted = true
            facts.hugeUsage = 0
            let memory = withBytes(host, HostMemory.init(meminfo:))
            let values = meminfoValues(
                rendered(host) { Meminfo(facts, host: memory).render(host: $0, into: $1) })
            for row in rows {
                for name in code(row[0]) {
                    let value = try #require(values[name])
                    #expect((value == 0) == isZero(row[unified ? 1 : 2]), "\(name) is \(value)")
                }
            }
        }
    }
}
