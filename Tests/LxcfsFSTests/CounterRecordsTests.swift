import Cgroups
import Foundation
import Glibc
import KernelText
import Logging
import ProcView
import Syscalls
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper
@testable import LxcfsPageCache

@Suite struct CounterRecordsTests {
    private let path = NSTemporaryDirectory() + "counters-" + UUID().uuidString
    private let second: UInt64 = 1_000_000_000

    private static let cpus = 2
    private let rowSize = CounterRecords.rowSize(cpus: cpus)

    private func open(cpus: Int = Self.cpus) throws -> CounterRecords {
        try CounterRecords(
            path, cpus: cpus, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test func withoutADirectoryTheyBeginAnew() throws {
        let records = try CounterRecords(
            path + "/no/such/directory", cpus: Self.cpus,
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        withExtendedLifetime(records) {}
    }

    private func use(_ container: Container, until end: UInt64, cpus: Int = 2) {
        container.counters.ledger.update(
            CPULedger.Reading(
                age: end, time: CPUTime(user: end / 5, system: end / 10),
                perCPU: (0..<cpus).map { end / UInt64($0 + 1) }),
            visible: CPUList(Array(0..<cpus)))
    }

    private var room: Int64 {
        var status = stat()
        #expect(stat(path, &status) == 0)
        return Int64(status.st_blocks) * 512
    }

    @Test func countersGoOnWhereTheyWere() throws {
        defer { unlink(path) }
        let container = try makeContainer("x", slot: 1)
        for age in 3...5 as ClosedRange<UInt64> {
            use(container, until: age * second)
            container.counters.highestPID = 42
            container.counters.load = LoadAverage(values: [age, 2, 3])
            try open().save(container, now: 100)
            let again = try makeContainer("x", slot: 1)
            try open().restore(again, now: 200)
            #expect(again.counters.ledger.entries == container.counters.ledger.entries)
            #expect(again.counters.ledger.total == container.counters.ledger.total)
            #expect(again.counters.highestPID == 42)
            #expect(again.counters.load == container.counters.load)
        }
        let late = try makeContainer("x", slot: 1)
        try open().restore(late, now: 100 * second)
        #expect(late.counters.ledger.total == container.counters.ledger.total)
        // Old averages are of no use.
        #expect(late.counters.load == nil)
        use(late, until: 6 * second, cpus: 1)
        #expect(late.counters.ledger.total.idle >= container.counters.ledger.total.idle)
    }

    /// Found by fuzzing: a number that high left no room for a newer one, and won for ever.
    @Test(arguments: [.max, .max - 1, 0] as [UInt64])
    func aDamagedEditionDoesNotHideNewOnes(_ damage: UInt64) throws {
        defer { unlink(path) }
        let container = try makeContainer("x", slot: 1)
        use(container, until: 5 * second)
        try open().save(container, now: 100)
        let edition = off_t(2 * rowSize + 2 * 8)
        let file = try FileDescriptor.open(path, O_RDWR)
        var damage = damage
        #expect(pwrite(file.raw, &damage, 8, edition) == 8)
        for time in 6..<10 as Range<UInt64> {
            use(container, until: time * second)
            try open().save(container, now: 200)
            let again = try makeContainer("x", slot: 1)
            try open().restore(again, now: 300)
            #expect(again.counters.ledger.total == container.counters.ledger.total)
        }
    }

    @Test func anotherContainerStartsAnew() throws {
        defer { unlink(path) }
        let container = try makeContainer("x", slot: 1)
        use(container, until: 5 * second)
        let records = try open()
        records.save(container, now: 100)
        for slot in [2, 1 + 8192] as [UInt32] {
            let other = try makeContainer("x", slot: slot)
            records.restore(other, now: 200)
            #expect(other.counters.ledger.entries.isEmpty)
        }
    }

    @Test func whoHasARecordKeepsIt() throws {
        defer { unlink(path) }
        let container = try makeContainer("x", slot: 1)
        let records = try open()
        use(container, until: 5 * second)
        records.save(container, now: 100)
        // Another one of the same record.
        let other = try makeContainer("y", slot: 1 + 8192)
        use(other, until: 9 * second)
        records.save(other, now: 100)
        let again = try makeContainer("x", slot: 1)
        try open().restore(again, now: 200)
        #expect(again.counters.ledger.total == container.counters.ledger.total)
        // Until the first one ends.
        records.release(container)
        records.save(other, now: 100)
        let third = try makeContainer("y", slot: 1 + 8192)
        try open().restore(third, now: 200)
        #expect(third.counters.ledger.total == other.counters.ledger.total)
    }

    @Test func aRowThatWasNotFinishedIsNotRead() throws {
        defer { unlink(path) }
        let container = try makeContainer("x", slot: 1)
        use(container, until: 3 * second)
        try open().save(container, now: 100)
        let whole = container.counters.ledger.total
        let before = try rows()
        use(container, until: 4 * second)
        try open().save(container, now: 100)
        let row = try #require(try rows().firstIndex { !before.contains($0) })
        // Its first number is stored last.
        let file = Glibc.open(path, O_RDWR)
        defer { close(file) }
        var zero: UInt64 = 0
        #expect(pwrite(file, &zero, 8, off_t((2 + row) * rowSize)) == 8)
        let again = try makeContainer("x", slot: 1)
        try open().restore(again, now: 200)
        #expect(again.counters.ledger.total == whole)
    }

    private func rows(of size: Int? = nil) throws -> [Data] {
        let size = size ?? rowSize
        let file = try #require(FileHandle(forReadingAtPath: path))
        try file.seek(toOffset: UInt64(2 * size))
        let bytes = try #require(try file.read(upToCount: 2 * size))
        return [bytes.prefix(size), bytes.suffix(size)].map { Data($0) }
    }

    @Test func manyCPUs() throws {
        defer { unlink(path) }
        let container = try makeContainer("x", slot: 1)
        let records = try open(cpus: 500)
        for cpus in [2, 500] {
            use(container, until: UInt64(cpus) * second, cpus: cpus)
            records.save(container, now: 100)
            let again = try makeContainer("x", slot: 1)
            records.restore(again, now: 200)
            #expect(again.counters.ledger.total == container.counters.ledger.total)
        }
        // No room for so many: nothing is written beyond the row.
        let size = CounterRecords.rowSize(cpus: 500)
        let kept = try rows(of: size)
        let next = try makeContainer("y", slot: 2)
        use(next, until: second)
        records.save(next, now: 100)
        use(container, until: 2000 * second, cpus: 2000)
        records.save(container, now: 100)
        #expect(try rows(of: size) == kept)
    }

    @Test func roomIsTakenAndGivenBack() throws {
        defer { unlink(path) }
        let records = try open()
        #expect(room == 0)
        let container = try makeContainer("x", slot: 1)
        use(container, until: second)
        records.save(container, now: 100)
        #expect(room > 0 && room <= 16384)
        records.remove(container)
        #expect(room == 0)
    }

    /// On most machines a page holds the rows of several containers.
    @Test func containersThatShareAPageDoNotDisturbEachOther() throws {
        defer { unlink(path) }
        let records = try open()
        #expect(rowSize * 2 * 4 <= 4096)
        let containers = try (1...20).map { try makeContainer("c\($0)", slot: UInt32($0)) }
        for (number, container) in containers.enumerated() {
            use(container, until: UInt64(number + 1) * second)
            records.save(container, now: 100)
        }
        #expect(room < 20 * 4096)
        for container in containers where container.slot % 2 == 0 {
            records.remove(container)
            // Who has its number next does not get its counters.
            let next = try makeContainer(container.id, slot: container.slot)
            records.restore(next, now: 200)
            #expect(next.counters.ledger.entries.isEmpty)
        }
        for container in containers where container.slot % 2 == 1 {
            let again = try makeContainer(container.id, slot: container.slot)
            try open().restore(again, now: 200)
            #expect(again.counters.ledger.total == container.counters.ledger.total)
            records.remove(container)
        }
        #expect(room == 0)
    }

    @Test func aFileOfAMachineWithOtherCPUsIsMadeAnew() throws {
        defer { unlink(path) }
        let container = try makeContainer("x", slot: 1)
        use(container, until: second)
        let former = try open(cpus: 100)
        former.save(container, now: 100)
        let later = try open()
        let again = try makeContainer("x", slot: 1)
        later.restore(again, now: 200)
        #expect(again.counters.ledger.entries.isEmpty)
        later.save(container, now: 300)
        // Who still has the former one is not disturbed.
        former.save(container, now: 300)
        try open().restore(again, now: 400)
        #expect(again.counters.ledger.total == container.counters.ledger.total)
    }

    @Test(arguments: [1, 40, 4096]) func garbageIsNoRecord(_ count: Int) throws {
        defer { unlink(path) }
        let records = try open()
        let container = try makeContainer("x", slot: 1)
        use(container, until: second)
        records.save(container, now: 100)
        let file = Glibc.open(path, O_RDWR)
        defer { close(file) }
        // Everything but the identity, so that it is looked at.
        for half in 2...3 {
            var numbers = [UInt64](repeating: .max, count: rowSize / 8)
            numbers[0] = UInt64(count)
            numbers[1] = container.identity
            #expect(pwrite(file, numbers, rowSize, off_t(half * rowSize)) == rowSize)
        }
        let again = try makeContainer("x", slot: 1)
        records.restore(again, now: 200)
        #expect(again.counters.ledger.entries.isEmpty)
    }
}

extension CounterRecords {
    private func owner(_ container: Container) -> CounterOwner {
        CounterOwner(slot: container.slot, identity: container.identity)
    }

    fileprivate func save(_ container: Container, now: UInt64) {
        save(owner(container), &container.counters, now: now)
    }

    fileprivate func restore(_ container: Container, now: UInt64) {
        restore(owner(container), &container.counters, now: now)
    }

    fileprivate func release(_ container: Container) { release(owner(container)) }

    fileprivate func remove(_ container: Container) {
        remove(owner(container), &container.counters)
    }
}
