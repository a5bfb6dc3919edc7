/// Values by key, of which those that nobody asks for are forgotten when there are too many.
///
/// Who makes many keys costs the others a look-up now and then, and not all that is known of them.
struct RecentlyUsed<Key: Hashable, Value> {
    private struct Entry {
        let value: Value
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

    /// - Returns: what is forgotten for it, or was there before: of too many values the quarter
    ///   that was asked for longest ago, so that most insertions forget none.
    mutating func insert(_ value: Value, for key: Key) -> [Value] {
        clock += 1
        var forgotten: [Value] = []
        if let former = entries.updateValue(Entry(value: value, used: clock), forKey: key) {
            forgotten.append(former.value)
        }
        guard entries.count > limit else { return forgotten }
        let uses = entries.values.map(\.used).sorted()
        let oldest = uses[(entries.count - 1) / 4]
        for (key, entry) in entries where entry.used <= oldest {
            entries[key] = nil
            forgotten.append(entry.value)
        }
        return forgotten
    }

    /// - Returns: what is removed.
    mutating func remove(where isUnwanted: (Value) -> Bool) -> [Value] {
        let unwanted = entries.filter { isUnwanted($0.value.value) }
        for key in unwanted.keys { entries[key] = nil }
        return unwanted.values.map(\.value)
    }
}
