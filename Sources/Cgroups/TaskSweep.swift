/// Where the looks at one container's threads have got to. Each goes on where the one before has
/// used up its budget, so that in the end each cgroup has been seen, however many there are.
///
/// Of the threads that are listed in one look a random sample is looked at, and what it has is
/// scaled up. Cgroups deeper than ``deepest`` and lists longer than the budget are taken to be like
/// the rest.
public struct TaskSweep: Sendable {
    /// A directory on the way to where the next look begins.
    struct Place: Equatable, Sendable {
        /// In its parent, see `SubdirectoryPiece`.
        var position: Int64
        /// Of a directory that has been looked into; nil of one whose turn is next.
        var inode: UInt64?
    }

    /// From the top; empty at the start of a round.
    var places: [Place] = []
    private var running = 0.0
    private var blocked = 0.0
    /// Threads that this round has listed.
    private(set) var listed = 0
    private var looks = 0
    private var wasCut = false
    /// Of the sample (xorshift); never 0.
    var random: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// The hierarchy is the container's to shape: levels of cgroups below its own.
    static let deepest = 32

    public init() {}

    /// Whether a round has begun and not ended.
    public var isUnderWay: Bool { !places.isEmpty }

    /// Adds what a look has found.
    ///
    /// - Parameters:
    ///   - states: of the threads that were looked at.
    ///   - looked: how many of those that were listed.
    ///   - seen: threads that it has listed.
    ///   - cgroups: how many it has looked into.
    ///   - isCut: there are some that no look sees.
    ///   - rest: where the next one begins; nil if the round is complete.
    ///   - expected: how many threads there are by the kernel's count.
    mutating func add(
        _ states: TaskCounts, looked: Int, listed seen: Int, cgroups: Int, isCut: Bool,
        rest: [Place]?, expected: Int?
    ) -> TaskLook {
        looks += 1
        listed += seen
        wasCut = wasCut || isCut
        let scale = looked > 0 ? Double(seen) / Double(looked) : 0
        running += Double(states.running) * scale
        blocked += Double(states.blocked) * scale
        var look = TaskLook()
        look.cgroups = cgroups
        look.listed = seen
        look.counts.lastPID = states.lastPID
        if rest == nil, looks == 1, looked == seen, !wasCut {
            look.counts = states
            look.extent = .all
        } else {
            var unseen = 1.0
            if rest == nil, wasCut, let expected, listed > 0 {
                unseen = max(Double(expected) / Double(listed), 1)
            }
            look.counts.running = Int((running * unseen).rounded())
            look.counts.blocked = Int((blocked * unseen).rounded())
            look.counts.total = listed
            look.extent = rest == nil ? .round : .part
        }
        if let rest {
            places = rest
        } else {
            let random = random
            self = TaskSweep()
            self.random = random
        }
        return look
    }
}
