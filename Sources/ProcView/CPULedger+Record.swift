import Cgroups

/// A ledger as a row of numbers, so that another process can go on with it; docs/handover.md
/// has the layout.
///
/// Release 0.1.0 counted the visible CPUs from 0. What it writes has no CPU numbers, and what
/// it reads are the entries of the visible CPUs first: so it finds them where it looks.
extension CPULedger {
    private static let fixedCount = 9
    /// Set in the number of a CPU. At that place release 0.1.0 had times in nanoseconds, which
    /// never get as large, and made no use of them.
    private static let cpuMark: UInt64 = 1 << 63

    /// How many numbers ``write(to:)`` writes.
    public var rowCount: Int { Self.fixedCount + 3 * entries.count + cpus.count }

    /// How many numbers it has at most on a machine with so many CPUs.
    public static func rowCount(cpus: Int) -> Int { fixedCount + 4 * cpus }

    /// Writes the ledger.
    ///
    /// - Returns: how many numbers; nil if there is no room for them.
    public func write(to row: UnsafeMutableBufferPointer<UInt64>) -> Int? {
        guard rowCount <= row.count else { return nil }
        row[0] = UInt64(visible.count)
        row[1] = age
        row[2] = time.user
        row[3] = time.system
        row[4] = total.user
        row[5] = total.system
        row[6] = total.idle
        row[7] = UInt64(entries.count)
        row[8] = UInt64(cpus.count)
        var place = 0
        for position in visible {
            write(position, to: row, at: place)
            place += 1
        }
        var next = visible.startIndex
        for position in entries.indices {
            if next < visible.endIndex, visible[next] == position {
                next += 1
                continue
            }
            write(position, to: row, at: place)
            place += 1
        }
        return rowCount
    }

    /// Writes an entry at its place, and the number of its CPU at that behind all entries.
    private func write(
        _ position: Int, to row: UnsafeMutableBufferPointer<UInt64>, at place: Int
    ) {
        let entry = entries[position]
        let start = Self.fixedCount + 3 * place
        row[start] = entry.user
        row[start + 1] = entry.system
        row[start + 2] = entry.idle
        guard position < cpus.count else { return }
        row[Self.fixedCount + 3 * entries.count + place] =
            Self.cpuMark | UInt64(cpus[position])
    }

    /// - Parameter row: what ``write(to:)`` has written, or release 0.1.0; anything else gives
    ///   nil.
    public init?(row: UnsafeBufferPointer<UInt64>) {
        guard row.count >= Self.fixedCount, row[7] <= 65536, row[8] <= 65536 else { return nil }
        let entryCount = Int(row[7])
        let numberCount = Int(row[8])
        guard row.count == Self.fixedCount + 3 * entryCount + numberCount,
            row[0] <= row[7]
        else { return nil }
        self.init()
        age = row[1]
        time = CPUTime(user: row[2], system: row[3])
        total.user = row[4]
        total.system = row[5]
        total.idle = row[6]
        for place in 0..<entryCount {
            let start = Self.fixedCount + 3 * place
            var entry = Entry()
            entry.user = row[start]
            entry.system = row[start + 1]
            entry.idle = row[start + 2]
            entries.append(entry)
        }
        visible = Array(0..<Int(row[0]))
        let numbers = row[(Self.fixedCount + 3 * entryCount)...]
        // Other numbers are what release 0.1.0 has written.
        guard numbers.count == entryCount, numbers.allSatisfy({ $0 >= Self.cpuMark })
        else { return }
        guard sort(by: numbers.map { $0 & ~Self.cpuMark }) else { return nil }
    }

    /// Brings the entries into the order of the CPUs' numbers.
    ///
    /// - Parameter numbers: of the CPUs, in the order of the row.
    /// - Returns: false if these are no numbers of different CPUs.
    private mutating func sort(by numbers: [UInt64]) -> Bool {
        guard numbers.allSatisfy({ $0 <= 65536 }), Set(numbers).count == numbers.count
        else { return false }
        let order = numbers.indices.sorted { numbers[$0] < numbers[$1] }
        let shown = visible.count
        cpus = order.map { Int(numbers[$0]) }
        entries = order.map { entries[$0] }
        visible = order.indices.filter { order[$0] < shown }
        return true
    }
}
