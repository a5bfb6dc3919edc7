import Cgroups
import KernelText

/// What is known of the threads of a container. Whoever looks at them writes it down here, and
/// readers take it from here.
struct ThreadFigures {
    /// nil until somebody has looked.
    private(set) var counts: TaskCounts?
    /// Since the first round is not complete, the rest of the container counts as asleep.
    private(set) var isPartial = false
    /// When somebody has looked last, on the monotonic clock.
    private(set) var lookedAt: UInt64 = 0
    /// It has more than a reader is to wait for.
    private(set) var isLarge = false
    /// Where the looks in the background have got to.
    var sweep = TaskSweep()

    private var isQueued = false
    private var nextLook: UInt64 = 0

    /// When `/proc/loadavg` was read last.
    var loadReadAt: UInt64 = 0
    /// Its load averages are sampled.
    var isWatched = false
    /// Nobody has read them for so long that they begin anew.
    var isForgotten = false
    /// Samples of the load averages that could not be added at once.
    private(set) var samples: [Int] = []

    /// How long a look serves for `/proc/stat` and the last fields of `/proc/loadavg`, in
    /// nanoseconds: it costs several calls per thread.
    static let lifetime: UInt64 = 1_000_000_000

    /// For each nanosecond of CPU time that a look in the background has taken, so many pass
    /// before the next one: a container gets no more than a hundredth of a CPU.
    static let pause: UInt64 = 100

    mutating func take(_ look: TaskLook, now: UInt64) {
        if look.extent != .part {
            counts = look.counts
            isPartial = false
        } else if let known = counts, !isPartial {
            counts?.lastPID = max(known.lastPID, look.counts.lastPID)
        } else {
            counts = look.counts
            isPartial = true
        }
        lookedAt = now
        isLarge = !look.fits(.inPlace)
    }

    func age(now: UInt64) -> UInt64 {
        counts == nil ? .max : clampedDifference(now, lookedAt)
    }

    /// Whether a look in the background is to be asked for: none is, and the pause is over.
    mutating func enqueue(now: UInt64) -> Bool {
        if isQueued || now < nextLook { return false }
        isQueued = true
        return true
    }

    /// A look in the background that was asked for is not to be.
    mutating func cancelLook() { isQueued = false }

    /// A look in the background has ended.
    ///
    /// - Parameter cost: CPU time that it has taken, in nanoseconds.
    mutating func dequeue(now: UInt64, cost: UInt64) {
        isQueued = false
        let (pause, overflow) = cost.multipliedReportingOverflow(by: Self.pause)
        nextLook = clampedSum(now, max(overflow ? .max : pause, Self.lifetime))
    }

    /// Keeps a sample for whoever has the load averages next.
    mutating func keep(sample active: Int) {
        // Of a minute: a reader who holds them for longer has gone wrong elsewhere.
        if samples.count >= 12 { samples.removeFirst() }
        samples.append(active)
    }

    mutating func takeSamples() -> [Int] {
        defer { samples = [] }
        return samples
    }
}
