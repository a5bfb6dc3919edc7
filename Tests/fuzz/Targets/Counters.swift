import Cgroups
import Glibc
import KernelText
import Logging
import ProcView
import Syscalls

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper
@testable import LxcfsPageCache

private func numbers(_ parts: inout Parts) -> [UInt64] {
    var numbers: [UInt64] = []
    while !parts.isEmpty, numbers.count < 2048 { numbers.append(parts.number()) }
    return numbers
}

/// No counter runs backwards, and the parts are the sum, over any readings.
private func goOn(_ ledger: inout CPULedger, _ readings: inout Parts) {
    for _ in 0..<4 {
        let mask = readings.byte()
        let cpus = CPUList((0..<8).filter { mask & 1 << $0 != 0 }.map { $0 * 9 })
        let before = ledger
        var perCPU: [UInt64] = []
        if readings.byte() & 1 != 0 {
            for _ in cpus.cpus { perCPU.append(readings.quantity()) }
        }
        ledger.update(
            CPULedger.Reading(
                age: readings.quantity(),
                time: CPUTime(user: readings.quantity(), system: readings.quantity()),
                perCPU: perCPU), visible: cpus)
        let shown = ledger.visible.map { ledger.cpus[$0] }
        require(shown == (cpus.isEmpty ? [0] : cpus.cpus), "other CPUs")
        require(ledger.entries.count == ledger.cpus.count, "a CPU without counters")
        require(ledger.cpus == CPUList(ledger.cpus).cpus, "CPUs out of order")
        require(isNotBefore(ledger.total, before.total), "the total runs backwards")
        for (cpu, old) in zip(before.cpus, before.entries) {
            guard let index = ledger.cpus.firstIndex(of: cpu) else {
                fatalError("a CPU is forgotten")
            }
            require(isNotBefore(ledger.entries[index], old), "a counter runs backwards")
        }
    }
}

private func isNotBefore(_ new: CPULedger.Entry, _ old: CPULedger.Entry) -> Bool {
    new.user >= old.user && new.system >= old.system && new.idle >= old.idle
}

private func written(_ ledger: CPULedger) -> [UInt64] {
    var row = [UInt64](repeating: 0, count: ledger.rowCount)
    let size = row.withUnsafeMutableBufferPointer { ledger.write(to: $0) }
    require(size == row.count, "a row of another length")
    return row
}

/// A ledger as another process left it: any row of numbers, then readings.
@Sendable func fuzzLedger(_ input: Bytes) {
    var parts = Parts(input)
    let count = Int(parts.byte())
    var readings = parts
    readings.skip(8 * count)
    let row = Array(numbers(&parts).prefix(count))
    guard var ledger = row.withUnsafeBufferPointer({ CPULedger(row: $0) }) else {
        var fresh = CPULedger()
        goOn(&fresh, &readings)
        return
    }
    let rewritten = written(ledger)
    guard let again = rewritten.withUnsafeBufferPointer({ CPULedger(row: $0) }) else {
        fatalError("a row that is not read")
    }
    require(rewritten.count <= row.count && written(again) == rewritten, "a row changes")
    require(again.entries == ledger.entries && again.cpus == ledger.cpus, "entries change")
    goOn(&ledger, &readings)
}

/// The file of counters with any content in the two rows of a container.
@Sendable func fuzzCounterRecords(_ input: Bytes) {
    do {
        try countersFixture.run(input)
    } catch {
        fatalError("no counters: \(error)")
    }
}

private final class CountersFixture: @unchecked Sendable {
    private static let cpus = 500
    private let path = "/dev/shm/fuzz-counters-\(getpid())"
    private let records: CounterRecords
    private let file: FileDescriptor

    init() throws {
        records = try CounterRecords(
            path, cpus: CountersFixture.cpus,
            log: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
        file = try FileDescriptor.open(path, O_RDWR)
        unlink(path)
    }

    func run(_ input: Bytes) throws {
        let owner = CounterOwner(slot: 1, identity: 77)
        var counters = KeptCounters()
        var parts = Parts(input)
        let half = parts.byte() & 1 != 0
        var row = numbers(&parts)
        // Otherwise no row would ever be looked at.
        if row.count > 1 { row[1] = owner.identity }
        let rowSize = CounterRecords.rowSize(cpus: Self.cpus)
        let offset = off_t(2 * rowSize + (half ? rowSize : 0))
        let size = row.count * 8
        guard pwrite(file.raw, row, size, offset) == size else { fatalError("write") }
        records.restore(owner, &counters, now: 100)
        require(counters.highestPID >= 0, "a negative process number")
        var copy = parts
        goOn(&counters.ledger, &copy)
        counters.load?.sample(active: 3)
        records.save(owner, &counters, now: 200)
        var next = KeptCounters()
        records.restore(owner, &next, now: 300)
        require(next.ledger.total == counters.ledger.total, "counters are lost")
        records.remove(owner, &counters)
    }
}

private let countersFixture: CountersFixture = {
    do {
        return try CountersFixture()
    } catch {
        fatalError("no counters to test with: \(error)")
    }
}()
