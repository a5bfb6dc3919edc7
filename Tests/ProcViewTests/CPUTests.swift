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
            visible: 2)
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
                perCPU: [6 * second, 2 * second]), visible: 2)
        #expect(ledger.entries.map(\.user) == [6 * second, 2 * second])
    }

    /// A time that the kernel's text overflows is the largest number.
    @Test func theLargestTimeOnOneCPU() {
        var ledger = CPULedger()
        ledger.update(
            .init(
                age: 10 * second, time: CPUTime(user: .max, system: .max),
                perCPU: [5 * second, 0]), visible: 2)
        #expect(ledger.total.user == .max)
        #expect(ledger.total.system == .max)
    }

    @Test func noCPUDoesMoreThanItsWallTime() {
        // 2 CPUs are seen, a third did most of the work: that is booked where there is room.
        var ledger = CPULedger()
        ledger.update(.init(age: 10 * second, time: CPUTime(), perCPU: [0, 0]), visible: 2)
        ledger.update(
            .init(
                age: 20 * second, time: CPUTime(user: 18 * second),
                perCPU: [9 * second, second]), visible: 2)
        #expect(ledger.entries[0].user <= 10 * second)
        #expect(ledger.total.user == 18 * second)
    }

    @Test func aHalfCPUQuotaIsHalfIdle() {
        var ledger = CPULedger()
        for step in 1...20 {
            let age = UInt64(step) * second
            ledger.update(.init(age: age, time: CPUTime(user: age / 2)), visible: 1)
        }
        #expect(ledger.total.user == 10 * second)
        #expect(ledger.total.idle == 10 * second)
    }

    @Test func nothingRunsBackwardsAndNothingIsLost() {
        var random = SeededGenerator(state: 2)
        for round in 0..<200 {
            var ledger = CPULedger()
            var reading = CPULedger.Reading(age: 0, time: CPUTime())
            for _ in 0..<50 {
                let before = ledger
                let count = Int.random(in: 1...8, using: &random)
                reading.age += UInt64.random(in: 0...(2 * second), using: &random)
                reading.time.user += UInt64.random(in: 0...(4 * second), using: &random)
                reading.time.system += UInt64.random(in: 0...second, using: &random)
                reading.perCPU =
                    Bool.random(using: &random)
                    ? (0..<count).map { _ in UInt64.random(in: 0...(9 * second), using: &random)
                    }
                    : []
                ledger.update(reading, visible: count)
                #expect(ledger.visible == count)
                for index in before.entries.indices {
                    #expect(ledger.entries[index].user >= before.entries[index].user)
                    #expect(ledger.entries[index].system >= before.entries[index].system)
                    #expect(ledger.entries[index].idle >= before.entries[index].idle)
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
        ledger.update(.init(age: 10 * second, time: CPUTime(user: 5 * second)), visible: 1)
        ledger.update(.init(age: 9 * second, time: CPUTime(user: second)), visible: 1)
        #expect(ledger.total.user == 5 * second)
        ledger.update(.init(age: 11 * second, time: CPUTime(user: 2 * second)), visible: 1)
        #expect(ledger.total.user == 6 * second)
    }
}

@Suite struct StatTests {
    private func sample(visible: Int) -> Stat {
        var ledger = CPULedger()
        ledger.update(
            .init(age: 100 * second, time: CPUTime(user: 20 * second, system: 10 * second)),
            visible: visible)
        return Stat(ledger: ledger, processes: 42, running: 3, blocked: 1)
    }

    @Test(arguments: Kernel.all) func keepsTheShapeOfTheKernel(_ kernel: Kernel) throws {
        let text = try kernel.text("proc/stat")
        let out = rendered(text) { sample(visible: 2).render(host: $0, into: $1) }
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
        #expect(lines[1].hasPrefix("cpu0 1000 0 500 8500 0 "))
        #expect(lines[2].hasPrefix("cpu1 1000 0 500 8500 0 "))
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

    @Test(arguments: Kernel.all) func someCPUsAreNumberedFromZero(_ kernel: Kernel) throws {
        let text = try kernel.text("proc/cpuinfo")
        let out = rendered(text) { Cpuinfo(visible: CPUList([1])).render(host: $0, into: $1) }
        let lines = out.split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("processor") } == ["processor\t: 0"])
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
                == (0..<4).map { "processor\t: \($0)" })
    }

    @Test func blocksAboutTheMachineStay() {
        let text =
            "processor\t: 0\nBogoMIPS\t: 1\n\nprocessor\t: 1\nBogoMIPS\t: 2\n\n"
            + "Hardware\t: Board\nSerial\t\t: 7\n"
        let out = rendered(text) { Cpuinfo(visible: CPUList([1])).render(host: $0, into: $1) }
        #expect(out == "processor\t: 0\nBogoMIPS\t: 2\n\nHardware\t: Board\nSerial\t\t: 7\n")
    }
}

@Suite struct CPUTopologyTests {
    @Test(arguments: [
        ("0-3\n", "0-1\n"), ("2\n", "0\n"), ("0-1\n", "\n"), ("2,5\n", "0-1\n"), ("", "\n"),
    ])
    func lists(_ host: String, _ container: String) {
        let out = rendered(host) {
            CPUTopology.renderList(
                host: $0, visible: CPUList([2, 5]).prefixForTest(host), into: $1)
        }
        #expect(out == container)
    }

    @Test(arguments: [
        ("f\n", [2, 3], "3\n"), ("0c\n", [2, 3], "03\n"), ("1\n", [1], "0\n"),
        ("ffffffff,00000000\n", [31, 32, 33], "00000000,00000006\n"),
        ("80000000,00000001\n", [0, 63], "00000000,00000003\n"),
    ])
    func masks(_ host: String, _ visible: [Int], _ container: String) {
        let out = rendered(host) {
            CPUTopology.renderMask(host: $0, visible: CPUList(visible), into: $1)
        }
        #expect(out == container)
    }

    @Test func contentByName() {
        #expect(CPUTopology.content(ofFile: "core_cpus_list") == .list)
        #expect(CPUTopology.content(ofFile: "thread_siblings") == .mask)
        #expect(CPUTopology.content(ofFile: "shared_cpu_map") == .mask)
        #expect(CPUTopology.content(ofFile: "core_id") == .plain)
    }
}

extension CPUList {
    /// For the case that has CPUs 2 and 3 visible.
    fileprivate func prefixForTest(_ host: String) -> CPUList {
        host == "0-3\n" ? CPUList([2, 3]) : self
    }
}
