import Cgroups

/// A ``CPULedger`` as numbers that can be kept outside of the process, so that no counter
/// runs backwards when another process goes on with it.
extension CPULedger {
    /// Replaces `words` by everything that there is to know. Allocates nothing once `words`
    /// has grown to the largest.
    public func encode(into words: inout [UInt64]) {
        words.removeAll(keepingCapacity: true)
        words.append(UInt64(visible))
        words.append(UInt64(entries.count))
        words.append(UInt64(perCPU.count))
        words.append(age)
        words.append(time.user)
        words.append(time.system)
        append(total, to: &words)
        for entry in entries { append(entry, to: &words) }
        words.append(contentsOf: perCPU)
    }

    private func append(_ entry: Entry, to words: inout [UInt64]) {
        words.append(entry.user)
        words.append(entry.system)
        words.append(entry.idle)
    }

    /// - Returns: nil if `words` are not what ``encode(into:)`` makes.
    public init?(decoding words: ArraySlice<UInt64>) {
        self.init()
        var rest = words
        func number(_ most: UInt64 = .max) -> UInt64? {
            guard let value = rest.popFirst(), value <= most else { return nil }
            return value
        }
        func entry() -> Entry? {
            guard let user = number(), let system = number(), let idle = number() else {
                return nil
            }
            var entry = Entry()
            entry.user = user
            entry.system = system
            entry.idle = idle
            return entry
        }
        // More CPUs than any kernel has are garbage.
        let most: UInt64 = 1 << 16
        guard let visible = number(most), let entryCount = number(most),
            let perCPUCount = number(most), visible <= entryCount, let age = number(),
            let user = number(), let system = number(), let total = entry()
        else { return nil }
        for _ in 0..<entryCount {
            guard let entry = entry() else { return nil }
            entries.append(entry)
        }
        guard rest.count == Int(perCPUCount) else { return nil }
        perCPU = Array(rest)
        self.visible = Int(visible)
        self.age = age
        self.time = CPUTime(user: user, system: system)
        self.total = total
    }
}
