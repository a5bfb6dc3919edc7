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
        let cpus = Int(readings.byte() % 8)
        let before = ledger
        var perCPU: [UInt64] = []
        if readings.byte() & 1 != 0 { for _ in 0..<cpus { perCPU.append(readings.quantity()) } }
        ledger.update(
            CPULedger.Reading(
                age: readings.quantity(),
                time: CPUTime(user: readings.quantity(), system: readings.quantity()),
                perCPU: perCPU), visible: cpus)
        require(ledger.visible == max(cpus, 1), "another number of CPUs")
        require(ledger.entries.count >= ledger.visible, "a CPU without counters")
        for (old, new) in zip(before.entries + [before.total], ledger.entries + [ledger.total])
        where before.entries.count == ledger.entries.count {
            require(
                new.user >= old.user && new.system >= old.system && new.idle >= old.idle,
                "a counter runs backwards")
        }
    }
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
    var written = [UInt64](repeating: 0, count: ledger.rowCount)
    let size = written.withUnsafeMutableBufferPointer { ledger.write(to: $0) }
    require(size == row.count && written == row, "a row changes when it is written")
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
