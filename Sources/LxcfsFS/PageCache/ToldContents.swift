import LxcfsHandover

/// What the kernel has been told of contents, in memory that the next worker sees: which
/// contents it was told of last, and of which files it is just being told.
final class ToldContents: Sendable {
    private let ring: ToldRing
    private let marks: PushMarks

    init(_ memory: HandoverMemory) {
        ring = ToldRing(memory.start(of: .announcements))
        marks = PushMarks(memory.start(of: .pushes))
    }

    /// A READ has been, or is about to be, answered with this content.
    func told(_ content: Snapshot, _ node: NodeID) { ring.add(content, node) }

    /// Tells the kernel of content. Whoever kills the worker meanwhile leaves a mark: of this
    /// file it is not known whether the kernel has the content.
    ///
    /// - Parameter push: does so.
    func telling<Result>(_ content: Snapshot, _ node: NodeID, push: () -> Result) -> Result {
        let mark = marks.begin(node)
        defer { marks.end(mark) }
        ring.add(content, node)
        return push()
    }

    /// How long a reader may take from hearing a size to reading, in nanoseconds.
    static let moment: UInt64 = 1_000_000_000

    /// The newest content of `node` that has `count` bytes, if a reader who was told that size
    /// may still be about to read it.
    func latest(_ node: NodeID, count: Int, now: UInt64) -> Snapshot? {
        ring.latest(node, count: count, now: now, maxAge: Self.moment)
    }

    /// The files of which an earlier worker was just telling the kernel when it ended. All marks
    /// are removed.
    func takeMarks() -> Set<NodeID> { Set(marks.takeLeft()) }

    /// See ``ToldRing/lastTold(unfinished:)``.
    func lastTold(unfinished: Set<NodeID>) -> [ToldRing.Entry] {
        ring.lastTold(unfinished: unfinished)
    }
}
