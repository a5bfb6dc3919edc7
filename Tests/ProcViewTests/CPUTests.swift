import Cgroups
import KernelText
import Syscalls
import Testing

@testable import ProcView

private let second: UInt64 = 1_000_000_000

@Suite struct CPULedgerTests {
    @Test func theFirstReadingIsSplitEvenly() {
        var ledger = CPULedger()
        ledger.update(
            .init(age: 10 * second, time: CPUTime(user: 6 * second, system: 2 * second)),
            visible: CPUList([0, 1]))
        #expect(ledger.entries.map(\.user) == [3 * second, 3 * second])
        #expect(ledger.entries.map(\.system) == [second, second])
        #expect(ledger.entries.map(\.idle) == [6 * second, 6 * second])
        #expect(ledger.total.idle == 12 * second)
    }

    @Test func theKernelsProportionsAreKept() {
        var ledger = CPULedger()
        ledger.update(
            .init(
                age: 10 * second, time: CPUTime(user: 8 * second),
                perCPU: [6 * second, 2 * second]), visible: CPUList([3, 7]))
        #expect(ledger.cpus == [3, 7])
        #expect(ledger.entries.map(\.user) == [6 * second, 2 * second])
    }

    /// A time that the kernel's text overflows is the largest number.
    @Test func theLargestTimeOnOneCPU() {
        var ledger = CPULedger()
        ledger.update(
            .init(
                age: 10 * second, time: CPUTime(user: .max, system: .max),
                perCPU: [5 * second, 0]), visible: CPUList([0, 1]))
        #expect(ledger.total.user == .max)
        #expect(ledger.total.system == .max)
    }

    @Test func noCPUDoesMoreThanItsWallTime() {
        let two = CPUList([0, 1])
        // 2 CPUs are seen, a third did most of the work: that is booked where there is room.
        var ledger = CPULedger()
        ledger.update(.init(age: 10 * second, time: CPUTime(), perCPU: [0, 0]), visible: two)
        ledger.update(
            .init(
                age: 20 * second, time: CPUTime(user: 18 * second),
                perCPU: [9 * second, second]), visible: two)
        #expect(ledger.entries[0].user <= 10 * second)
        #expect(ledger.total.user == 18 * second)
    }

    @Test func aHalfCPUQuotaIsHalfIdle() {
        var ledger = CPULedger()
        for step in 1...20 {
            let age = UInt64(step) * second
            ledger.update(.init(age: age, time: CPUTime(user: age / 2)), visible: CPUList([0]))
        }
        #expect(ledger.total.user == 10 * second)
        #expect(ledger.total.idle == 10 * second)
    }

    @Test func nothingRunsBackwardsAndNothingIsLost() throws {
        var random = SeededGenerator(state: 2)
        for round in 0..<200 {
            var ledger = CPULedger()
            var reading = CPULedger.Reading(age: 0, time: CPUTime())
            for _ in 0..<50 {
                let before = ledger
                let list = CPUList(
                    (0..<Int.random(in: 1...8, using: &random)).map { _ in
                        Int.random(in: 0...300, using: &random) % 12
                    })
                reading.age += UInt64.random(in: 0...(2 * second), using: &random)
                reading.time.user += UInt64.random(in: 0...(4 * second), using: &random)
                reading.time.system += UInt64.random(in: 0...second, using: &random)
                reading.perCPU =
                    Bool.random(using: &random)
                    ? list.cpus.map { _ in UInt64.random(in: 0...(9 * second), using: &random)
                    }
                    : []
                ledger.update(reading, visible: list)
                #expect(ledger.visible.map { ledger.cpus[$0] } == list.cpus)
                #expect(ledger.cpus == CPUList(before.cpus + list.cpus).cpus)
                for (cpu, entry) in zip(before.cpus, before.entries) {
                    let index = try #require(ledger.cpus.firstIndex(of: cpu))
                    #expect(ledger.entries[index].user >= entry.user)
                    #expect(ledger.entries[index].system >= entry.system)
                    #expect(ledger.entries[index].idle >= entry.idle)
                }
                #expect(ledger.total.idle >= before.total.idle)
                #expect(ledger.total.user == reading.time.user, "round \(round)")
                #expect(ledger.total.system == reading.time.system)
            }
            #expect(
                ledger.entries.reduce(0) { $0 + $1.user } == reading.time.user)
        }
    }

    @Test func countersThatGoBackAreFollowedNotBooked() {
        var ledger = CPULedger()
        ledger.update(
            .init(age: 10 * second, time: CPUTime(user: 5 * second)), visible: CPUList([0]))
        ledger.update(
            .init(age: 9 * second, time: CPUTime(user: second)), visible: CPUList([0]))
        #expect(ledger.total.user == 5 * second)
        ledger.update(
            .init(age: 11 * second, time: CPUTime(user: 2 * second)), visible: CPUList([0]))
        #expect(ledger.total.user == 6 * second)
    }
}

@Suite struct CPULedgerRecordTests {
    private func written(_ ledger: CPULedger) -> [UInt64] {
        var row = [UInt64](repeating: 0, count: ledger.rowCount)
        let count = row.withUnsafeMutableBufferPointer { ledger.write(to: $0) }
        #expect(count == row.count)
        return row
    }

    private func parsed(_ row: [UInt64]) -> CPULedger? {
        row.withUnsafeBufferPointer { CPULedger(row: $0) }
    }

    /// CPUs 1 and 2 first, then 2 and 5: at the end 1 has been taken away.
    private func sample() -> CPULedger {
        var ledger = CPULedger()
        ledger.update(
            .init(age: second, time: CPUTime(user: second), perCPU: [second, 0]),
            visible: CPUList([1, 2]))
        ledger.update(
            .init(age: 3 * second, time: CPUTime(user: 2 * second, system: 4)),
            visible: CPUList([2, 5]))
        return ledger
    }

    @Test func anotherProcessGoesOnWithIt() throws {
        let before = sample()
        let after = try #require(parsed(written(before)))
        #expect(after.cpus == [1, 2, 5])
        #expect(after.visible == [1, 2])
        #expect(after.entries == before.entries)
        #expect(after.total == before.total)
        #expect(written(after) == written(before))
    }

    /// It took the first so many entries for those of its CPUs 0 and 1, and took no row that
    /// was longer or shorter than this.
    @Test func release010FindsTheVisibleCPUsFirst() {
        let before = sample()
        let row = written(before)
        #expect(row[0] == 2 && row[7] == 3)
        #expect(row.count == 9 + 3 * 3 + Int(row[8]))
        let users = stride(from: 9, to: 18, by: 3).map { row[$0] }
        #expect(users == [1, 2, 0].map { before.entries[$0].user })
    }

    /// Two visible CPUs, a third one that was taken away, and times per CPU.
    private let former: [UInt64] =
        [2, 10, 6, 0, 6, 0, 24, 3, 2] + [3, 0, 7, 2, 0, 8, 1, 0, 9] + [77, 78]

    @Test(arguments: [
        ([4, 6, 8], [4, 6, 8], [3, 2, 1]), ([4, 6], [4, 6], [3, 2]), ([4], [4], [3]),
    ]) func whatRelease010HasLeftGetsTheNumbersOfTheAffinity(
        _ affinity: [Int], _ cpus: [Int], _ user: [UInt64]
    ) throws {
        var ledger = try #require(parsed(former))
        let total = ledger.total
        #expect(ledger.cpus.isEmpty)
        ledger.number(by: CPUList(affinity))
        #expect(ledger.cpus == cpus)
        #expect(ledger.entries.map(\.user) == user)
        #expect(ledger.total == total)
        let shown = CPUList(Array(affinity.prefix(1)))
        ledger.update(.init(age: 11, time: CPUTime(user: 7)), visible: shown)
        #expect(ledger.entries[0].user == 4)
        #expect(ledger.total.user == total.user + 1)
        // Once is enough.
        ledger.number(by: CPUList([100, 101, 102]))
        #expect(ledger.cpus == cpus)
    }

    /// A worker may save counters before it knows the CPUs.
    @Test func whatHasNoNumbersYetIsWrittenWithoutThem() throws {
        let ledger = try #require(parsed(former))
        let row = written(ledger)
        #expect(row[8] == 0 && row.count == former.count - 2)
        var again = try #require(parsed(row))
        again.number(by: CPUList([1, 2, 3]))
        #expect(again.entries.map(\.user) == [3, 2, 1])
    }

    @Test(arguments: [[1 << 63, 1 << 63], [1 << 63, 1 << 63 | 70000]] as [[UInt64]])
    func numbersOfNoCPUsAreNoRow(_ numbers: [UInt64]) {
        let fixed: [UInt64] = [1, 10, 6, 0, 6, 0, 24, 2, 2]
        #expect(parsed(fixed + [3, 0, 7, 2, 0, 8] + numbers) == nil)
    }
}

@Suite struct StatTests {
    private func sample(visible: [Int]) -> Stat {
        var ledger = CPULedger()
        ledger.update(
            .init(age: 100 * second, time: CPUTime(user: 20 * second, system: 10 * second)),
            visible: CPUList(visible))
        return Stat(ledger: ledger, processes: 42, running: 3, blocked: 1)
    }

    @Test(arguments: Kernel.all) func keepsTheShapeOfTheKernel(_ kernel: Kernel) throws {
        let text = try kernel.text("proc/stat")
        let out = rendered(text) { sample(visible: [1, 4]).render(host: $0, into: $1) }
        func shape(_ text: String) -> [String] {
            text.split(separator: "\n").map { line in
                let words = line.split(separator: " ")
                return words[0].hasPrefix("cpu")
                    ? "cpu" : "\(words[0]) \(words.count)"
            }
        }
        // All lines but those of CPUs one for one.
        #expect(shape(text).filter { $0 != "cpu" } == shape(out).filter { $0 != "cpu" })
        let lines = out.split(separator: "\n")
        let hostColumns = text.split(separator: "\n")[0].split(separator: " ").count
        #expect(lines[0].split(separator: " ").count == hostColumns)
        #expect(lines[0].hasPrefix("cpu  2000 0 1000 17000 0 "))
        #expect(lines[1].hasPrefix("cpu1 1000 0 500 8500 0 "))
        #expect(lines[2].hasPrefix("cpu4 1000 0 500 8500 0 "))
        #expect(!lines[3].hasPrefix("cpu"))
        #expect(lines.contains("procs_running 3"))
        #expect(lines.contains("procs_blocked 1"))
        #expect(lines.contains("processes 42"))
        // So that btime plus the ticks in /proc/<pid>/stat is when a process started.
        let hostBoot = text.split(separator: "\n").first { $0.hasPrefix("btime ") }
        #expect(lines.contains(try #require(hostBoot)))
        #expect(!out.contains("ctxt 1") && lines.contains("ctxt 0"))
    }
}

@Suite struct CpuinfoTests {
    @Test(arguments: Kernel.all) func allCPUsAreTheHostsFile(_ kernel: Kernel) throws {
        let text = try kernel.text("proc/cpuinfo")
        let count = text.split(separator: "\n").filter { $0.hasPrefix("processor") }.count
        #expect(count > 0)
        let out = rendered(text) {
            Cpuinfo(visible: CPUList(Array(0..<count))).render(host: $0, into: $1)
        }
        #expect(out == text)
    }

    @Test(arguments: Kernel.all) func aCPUKeepsItsNumber(_ kernel: Kernel) throws {
        let text = try kernel.text("proc/cpuinfo")
        let out = rendered(text) { Cpuinfo(visible: CPUList([1])).render(host: $0, into: $1) }
        let lines = out.split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("processor") } == ["processor\t: 1"])
        #expect(lines.contains("siblings\t: 1"))
        #expect(lines.contains("cpu cores\t: 1"))
        #expect(out.hasSuffix("\n\n"))
    }

    @Test func siblingsAndCoresOfTheVisibleOnes() {
        // Two packages of two cores with two threads each.
        var text = ""
        for cpu in 0..<8 {
            text += """
                processor\t: \(cpu)
                physical id\t: \(cpu / 4)
                siblings\t: 4
                core id\t\t: \(cpu / 2 % 2)
                cpu cores\t: 2
                flags\t\t: a b


                """
        }
        let out = rendered(text) {
            Cpuinfo(visible: CPUList([1, 2, 3, 7])).render(host: $0, into: $1)
        }
        let lines = out.split(separator: "\n").map(String.init)
        #expect(
            lines.filter { $0.hasPrefix("siblings") }
                == [3, 3, 3, 1].map { "siblings\t: \($0)" })
        #expect(
            lines.filter { $0.hasPrefix("cpu cores") }
                == [2, 2, 2, 1].map { "cpu cores\t: \($0)" })
        #expect(
            lines.filter { $0.hasPrefix("processor") }
                == [1, 2, 3, 7].map { "processor\t: \($0)" })
    }

    @Test func blocksAboutTheMachineStay() {
        let text =
            "processor\t: 0\nBogoMIPS\t: 1\n\nprocessor\t: 1\nBogoMIPS\t: 2\n\n"
            + "Hardware\t: Board\nSerial\t\t: 7\n"
        let out = rendered(text) { Cpuinfo(visible: CPUList([1])).render(host: $0, into: $1) }
        #expect(out == "processor\t: 1\nBogoMIPS\t: 2\n\nHardware\t: Board\nSerial\t\t: 7\n")
    }
}

@Suite struct CPUTopologyTests {
    @Test(arguments: [
        ("0-7\n", "2,5\n"), ("2\n", "2\n"), ("0-1\n", "\n"), ("2,5\n", "2,5\n"), ("", "\n"),
    ])
    func lists(_ host: String, _ container: String) {
        let out = rendered(host) {
            CPUTopology.renderList(host: $0, visible: CPUList([2, 5]), into: $1)
        }
        #expect(out == container)
    }

    @Test(arguments: [
        ("f\n", [2, 3], "c\n"), ("0c\n", [2, 3], "0c\n"), ("1\n", [1], "0\n"),
        ("ffffffff,00000000\n", [31, 32, 33], "00000003,00000000\n"),
        ("80000000,00000001\n", [0, 62, 63], "80000000,00000001\n"), ("3\n", [0, 9], "1\n"),
    ])
    func masks(_ host: String, _ visible: [Int], _ container: String) {
        let out = rendered(host) {
            CPUTopology.renderMask(host: $0, visible: CPUList(visible), into: $1)
        }
        #expect(out == container)
    }

    /// As `print_cpus_offline` writes it.
    @Test(arguments: [
        ("\n", "0-3", [0, 1, 2, 3], "\n"), ("\n", "0-3", [1, 2], "0,3\n"),
        ("2-79\n", "0-79", [0], "1-79\n"),
        // More CPUs than the kernel was started for, since 5.10 with a comma before them.
        ("4-7\n", "0-3", [0, 1, 2, 3], "4-7\n"), (",4-7\n", "0-3", [0, 1, 2, 3], ",4-7\n"),
        (",4\n", "0-3", [3], "0-2,4\n"), ("4\nx\n", "0-3", [3], "0-2\n"),
        ("3,4-7\n", "0-3", [0, 2], "1,3,4-7\n"),
    ])
    func offline(_ host: String, _ possible: String, _ visible: [Int], _ expected: String)
        throws
    {
        let possible = try #require(CPUList(parsing: possible))
        let out = rendered(host) {
            CPUTopology.renderOffline(
                host: $0, possible: possible, visible: CPUList(visible), into: $1)
        }
        #expect(out == expected)
    }

    @Test(arguments: [("0 1 2 3\n", "1 3\n"), ("3\n", "3\n"), ("0 2\n", "\n")])
    func numbers(_ host: String, _ expected: String) {
        let out = rendered(host) {
            let some = CPUTopology.renderNumbers(
                host: $0, visible: CPUList([1, 3]), into: $1)
            #expect(some == (expected != "\n"))
        }
        #expect(out == expected)
    }

    @Test(
        arguments: [
            ("topology/core_cpus_list", .list), ("topology/thread_siblings", .mask),
            ("cache/index0/shared_cpu_map", .mask), ("topology/core_id", .plain),
            ("online", .online), ("hotplug/state", .hotplugState), ("power/control", .plain),
        ] as [(String, CPUTopology.Content)])
    func contentByPath(_ path: String, _ content: CPUTopology.Content) {
        #expect(CPUTopology.content(ofFile: path, perCPU: true) == content)
    }

    @Test func contentOfWhatIsOfNoCPU() {
        #expect(CPUTopology.content(ofFile: "smt/active", perCPU: false) == .plain)
        #expect(
            CPUTopology.content(ofFile: "cpufreq/policy0/related_cpus", perCPU: false) == .plain
        )
        #expect(
            CPUTopology.content(ofFile: "cpufreq/policy0/affected_cpus", perCPU: false)
                == .numbers)
    }
}
