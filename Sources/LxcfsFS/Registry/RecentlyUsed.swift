/// Values by key, of which those that nobody asks for are forgotten when there are too many.
///
/// Each belongs to somebody, and who has most of them is the first to lose some: who makes many keys
/// costs nobody else one.
struct RecentlyUsed<Key: Hashable, Owner: Hashable, Value> {
    private struct Entry {
        let value: Value
        let owner: Owner
        /// The higher, the later it was asked for.
        var used: UInt64
    }

    private var entries: [Key: Entry] = [:]
    private var clock: UInt64 = 0
    private let limit: Int

    /// - Parameter limit: how many values there may be.
    init(limit: Int) { self.limit = max(limit, 1) }

    var count: Int { entries.count }

    subscript(key: Key) -> Value? {
        mutating get {
            guard let index = entries.index(forKey: key) else { return nil }
            clock += 1
            entries.values[index].used = clock
            return entries.values[index].value
        }
    }

    /// - Returns: what is forgotten for it, or was there before: of too many values a quarter, so that
    ///   most insertions forget none. These are of the owners who have most, and of each the values
    ///   that were asked for longest ago.
    mutating func insert(_ value: Value, for key: Key, of owner: Owner) -> [Value] {
        clock += 1
        var forgotten: [Value] = []
        let entry = Entry(value: value, owner: owner, used: clock)
        if let former = entries.updateValue(entry, forKey: key) {
            forgotten.append(former.value)
        }
        guard entries.count > limit else { return forgotten }
        let rest = max(limit * 3 / 4, 1)
        let most = share(rest)
        var old = entries.map { (key: $0.key, owner: $0.value.owner, used: $0.value.used) }
        old.sort { $0.used > $1.used }
        var kept: [Owner: Int] = [:]
        var all = 0
        for item in old {
            let own = kept[item.owner, default: 0]
            if own < most, all < rest {
                kept[item.owner] = own + 1
                all += 1
            } else if let entry = entries.removeValue(forKey: item.key) {
                forgotten.append(entry.value)
            }
        }
        return forgotten
    }

    /// The most that each owner may have, so that all have at most `rest`; at least 1.
    private func share(_ rest: Int) -> Int {
        var counts: [Owner: Int] = [:]
        for entry in entries.values { counts[entry.owner, default: 0] += 1 }
        var left = rest
        var owners = counts.count
        for count in counts.values.sorted() {
            // All that are left have as much or more.
            if count * owners > left { return max(left / owners, 1) }
            left -= count
            owners -= 1
        }
        return rest
    }

    func values(where isWanted: (Value) -> Bool) -> [Value] {
        entries.values.compactMap { isWanted($0.value) ? $0.value : nil }
    }

    /// - Returns: what is removed.
    mutating func remove(where isUnwanted: (Value) -> Bool) -> [Value] {
        let unwanted = entries.filter { isUnwanted($0.value.value) }
        for key in unwanted.keys { entries[key] = nil }
        return unwanted.values.map(\.value)
    }
}
