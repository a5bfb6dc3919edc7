/// The length of the longest content that the page cache may hold. Pushing something shorter
/// onto it would leave the end of that.
struct HeldContent {
    private var before: Int
    private var since = 0

    init(atFirst: Int) { before = atFirst }

    var longest: Int { max(before, since) }

    /// Content of `count` bytes will be pushed, or is the answer to a READ.
    mutating func add(_ count: Int) { since = max(since, count) }

    /// The kernel is about to be asked to drop what it has.
    ///
    /// - Parameter isChanging: something is just being pushed, and may come after that.
    mutating func beginDropping(isChanging: Bool) {
        before = longest
        if !isChanging { since = 0 }
    }

    /// It has done so.
    mutating func finishDropping() { before = 0 }
}
