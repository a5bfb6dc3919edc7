import KernelText

/// How often something may be done: so often at once, and from then on so often per second.
struct Pace {
    struct Limit {
        let burst: Int
        let perSecond: Int
    }

    private let limit: Limit
    /// Nanoseconds of work that may be done at once; one is worth `1 s / perSecond`.
    private var credit: UInt64
    private var lookedAt: UInt64

    private var price: UInt64 { 1_000_000_000 / UInt64(max(limit.perSecond, 1)) }
    private var most: UInt64 { price * UInt64(max(limit.burst, 1)) }

    /// - Parameter now: on the monotonic clock, in nanoseconds.
    init(_ limit: Limit, now: UInt64) {
        self.limit = limit
        credit = 0
        lookedAt = now
        credit = most
    }

    /// - Returns: whether it may be done once now.
    mutating func take(now: UInt64) -> Bool {
        refill(now)
        guard credit >= price else { return false }
        credit -= price
        return true
    }

    /// Nothing has been done for so long that nothing needs to be remembered.
    mutating func isFull(now: UInt64) -> Bool {
        refill(now)
        return credit == most
    }

    private mutating func refill(_ now: UInt64) {
        let (sum, isTooLarge) = credit.addingReportingOverflow(clampedDifference(now, lookedAt))
        credit = isTooLarge ? most : min(sum, most)
        lookedAt = max(lookedAt, now)
    }
}
