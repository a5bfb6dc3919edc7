import Cgroups

/// A ledger as a row of numbers, so that another process can go on with it.
extension CPULedger {
    private static let fixedCount = 9

    /// How many numbers ``write(to:)`` writes.
    public var rowCount: Int { Self.fixedCount + 3 * entries.count + perCPU.count }

    /// How many numbers it has at most on a machine with so many CPUs.
    public static func rowCount(cpus: Int) -> Int { fixedCount + 4 * cpus }

    /// Writes the ledger.
    ///
    /// - Returns: how many numbers; nil if there is no room for them.
    public func write(to row: UnsafeMutableBufferPointer<UInt64>) -> Int? {
        guard rowCount <= row.count else { return nil }
        row[0] = UInt64(visible)
        row[1] = age
        row[2] = time.user
        row[3] = time.system
        row[4] = total.user
        row[5] = total.system
        row[6] = total.idle
        row[7] = UInt64(entries.count)
        row[8] = UInt64(perCPU.count)
        var next = Self.fixedCount
        for entry in entries {
            row[next] = entry.user
            row[next + 1] = entry.system
            row[next + 2] = entry.idle
            next += 3
        }
        for time in perCPU {
            row[next] = time
            next += 1
        }
        return next
    }

    /// - Parameter row: what ``write(to:)`` has written; anything else gives nil.
    public init?(row: UnsafeBufferPointer<UInt64>) {
        guard row.count >= Self.fixedCount, row[7] <= 65536, row[8] <= 65536 else { return nil }
        let entryCount = Int(row[7])
        let perCPUCount = Int(row[8])
        guard row.count == Self.fixedCount + 3 * entryCount + perCPUCount,
            row[0] <= row[7]
        else { return nil }
        self.init()
        visible = Int(row[0])
        age = row[1]
        time = CPUTime(user: row[2], system: row[3])
        total.user = row[4]
        total.system = row[5]
        total.idle = row[6]
        var next = Self.fixedCount
        for _ in 0..<entryCount {
            var entry = Entry()
            entry.user = row[next]
            entry.system = row[next + 1]
            entry.idle = row[next + 2]
            entries.append(entry)
            next += 3
        }
        perCPU = Array(row[next...])
    }
}
