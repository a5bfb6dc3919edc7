/// What each payer has open, and may have: files, their contents in bytes, and pressure files that
/// are open for writing, each of which takes a descriptor.
///
/// One payer gets at most what ``Limits`` say. All together have a whole, too: of what is left of
/// that nobody gets more than a fourth, so that many who take as much as they can still leave some
/// to who comes next; and a little is granted to each in any case.
struct OpenBudget {
    /// How much of one kind there is.
    struct Share: Equatable {
        /// For one payer.
        let limit: Int
        /// For one payer, whatever others have.
        let floor: Int
        /// For all.
        let whole: Int

        /// Whether a payer who has `own` may get `more`.
        ///
        /// - Parameter all: what all have together.
        func grants(_ more: Int, own: Int, all: Int) -> Bool {
            let left = max(whole - all, 0)
            return own + more <= min(limit, max(floor, left / 4))
        }
    }

    struct Limits: Equatable {
        var files = Share(limit: 2048, floor: 64, whole: 65536)
        var bytes = Share(limit: 8 << 20, floor: 1 << 20, whole: 256 << 20)
        var triggers: Share

        /// - Parameter descriptors: that this process may have. A fourth is for triggers; the rest
        ///   is for what the daemon itself needs.
        init(descriptors: Int) {
            let whole = max(descriptors / 4, 1)
            triggers = Share(limit: 64, floor: min(2, whole), whole: whole)
        }
    }

    /// What is open.
    struct Holding: Equatable {
        var files = 0
        /// Of contents, in whole blocks.
        var bytes = 0
        var triggers = 0

        static func += (sum: inout Holding, more: Holding) {
            sum.files += more.files
            sum.bytes += more.bytes
            sum.triggers += more.triggers
        }

        static func -= (rest: inout Holding, less: Holding) {
            rest.files = max(rest.files - less.files, 0)
            rest.bytes = max(rest.bytes - less.bytes, 0)
            rest.triggers = max(rest.triggers - less.triggers, 0)
        }
    }

    private let limits: Limits
    private var holdings: [Payer: Holding] = [:]
    private(set) var all = Holding()

    init(_ limits: Limits) { self.limits = limits }

    func holding(of payer: Payer) -> Holding { holdings[payer] ?? Holding() }

    /// - Returns: false if the payer may not have that much; then nothing has changed.
    mutating func take(_ more: Holding, for payer: Payer) -> Bool {
        let own = holding(of: payer)
        guard
            more.files == 0
                || limits.files.grants(more.files, own: own.files, all: all.files),
            more.bytes <= 0
                || limits.bytes.grants(more.bytes, own: own.bytes, all: all.bytes),
            more.triggers == 0
                || limits.triggers.grants(
                    more.triggers, own: own.triggers, all: all.triggers)
        else { return false }
        note(more, for: payer)
        return true
    }

    /// Takes note of what is there already, whatever the limits are.
    mutating func note(_ more: Holding, for payer: Payer) {
        holdings[payer, default: Holding()] += more
        all += more
    }

    mutating func giveBack(_ less: Holding, of payer: Payer) {
        guard var own = holdings[payer] else { return }
        own -= less
        holdings[payer] = own == Holding() ? nil : own
        all -= less
    }
}
