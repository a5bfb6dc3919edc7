import CLinux
import Cgroups
import Glibc
import ProcView
import Syscalls

/// The counters of containers that do not only depend on what the kernel says now, in memory
/// that the keeper holds: CPU time as it was booked, and load averages. No counter may run
/// backwards because a worker has died.
final class CounterRecords: @unchecked Sendable {
    private static let count = 4096
    /// Two rows for each record: one is whole while the other is written.
    private static let rowSize = 8192
    private static let headerCount = 8
    static let size = count * 2 * rowSize

    /// A load average is of no use after so many nanoseconds without samples.
    private static let loadLifetime: UInt64 = 15_000_000_000

    private let memory: UnsafeMutableRawPointer
    private let lock = Lock()

    /// The numbers at the start of a row. The first is that of all numbers, 0 as long as the
    /// row is not valid.
    private enum Field {
        static let count = 0
        static let identity = 1
        static let edition = 2
        static let highestPID = 3
        static let loadTime = 4
        static let load = 5
    }

    init(_ memory: UnsafeMutableRawPointer) { self.memory = memory }

    private func row(_ identity: UInt64, _ half: Int) -> UnsafeMutablePointer<UInt64> {
        let index = Int(identity % UInt64(Self.count)) * 2 + half
        return (memory + index * Self.rowSize).assumingMemoryBound(to: UInt64.self)
    }

    /// The caller holds the container's `lock`.
    func save(_ container: Container, now: UInt64) {
        lock.lock()
        defer { lock.unlock() }
        let editions = (0..<2).map { half in
            let row = self.row(container.identity, half)
            return clinux_load64(row) == 0 ? 0 : row[Field.edition]
        }
        let row = self.row(container.identity, editions[0] <= editions[1] ? 0 : 1)
        clinux_store64(row, 0)
        row[Field.identity] = container.identity
        row[Field.edition] = max(editions[0], editions[1]) &+ 1
        row[Field.highestPID] = UInt64(max(container.highestPID, 0))
        row[Field.loadTime] = container.load == nil ? 0 : now
        if let load = container.load {
            for index in 0..<3 { row[Field.load + index] = load.values[index] }
        }
        let rest = UnsafeMutableBufferPointer(
            start: row + Self.headerCount,
            count: Self.rowSize / MemoryLayout<UInt64>.stride - Self.headerCount)
        // With too many CPUs for a row the next worker books anew.
        guard let count = container.ledger.write(to: rest) else { return }
        clinux_store64(row, UInt64(Self.headerCount + count))
    }

    /// Gives a container the counters that an earlier worker has left. The caller holds its
    /// `lock`.
    func restore(_ container: Container, now: UInt64) {
        lock.lock()
        defer { lock.unlock() }
        var best: UnsafeMutablePointer<UInt64>?
        for half in 0..<2 {
            let row = self.row(container.identity, half)
            guard clinux_load64(row) != 0, row[Field.identity] == container.identity,
                row[Field.edition] > best?[Field.edition] ?? 0
            else { continue }
            best = row
        }
        guard let row = best,
            case let count = Int(clamping: row[Field.count]), count >= Self.headerCount,
            count <= Self.rowSize / MemoryLayout<UInt64>.stride,
            let ledger = CPULedger(
                row: UnsafeBufferPointer(
                    start: row + Self.headerCount, count: count - Self.headerCount))
        else { return }
        container.ledger = ledger
        container.highestPID = Int(clamping: row[Field.highestPID])
        if row[Field.loadTime] != 0,
            clampedDifference(now, row[Field.loadTime]) < Self.loadLifetime
        {
            container.load = LoadAverage(
                values: (0..<3).map { min(row[Field.load + $0], 1 << 40) })
        }
    }
}

extension Container {
    /// Goes on with the counters of an earlier worker, once. The caller holds `lock`.
    func restoreCounters(_ host: Host) {
        if isRestored { return }
        isRestored = true
        if !isHost { host.counters.restore(self, now: host.now()) }
    }

    /// Keeps the counters for the next worker. The caller holds `lock`.
    func saveCounters(_ host: Host) {
        if !isHost { host.counters.save(self, now: host.now()) }
    }
}
