import Glibc
import KernelText
import LxcfsHandover
import Syscalls

/// A file of a container, and what the kernel has of it in its page cache: the rules by which
/// its size and pages change, see ``FileSize``. It decides; ``PageCache`` acts.
///
/// Every method takes the lock of the container's files for a moment.
final class CachedFile: @unchecked Sendable {
    private let lock: Lock
    /// One of `/proc`, and one whose numbers count up.
    private let isProcFile: Bool
    private let isCounting: Bool

    /// The content as long as it is within the window; READ is answered from it.
    private var snapshot: Snapshot?
    /// The size that the kernel was told last.
    private(set) var announced: Int?
    /// What a thread is doing with the pages. That thread waits for readers of the page, so
    /// another thread must not wait for it in turn.
    private var change = CacheChange.none
    /// When a READ was answered last, or content was shown that is older than the window.
    private var readAt: UInt64 = 0
    /// Since when longer content waits for that of other files, see
    /// ``PushPermits/beginGrowing()``.
    private var waitsSince: UInt64?
    /// The time of the snapshot that was pushed last, as long as the page cache can hold
    /// nothing else.
    private var pushedAt: UInt64?
    /// Shown in the modification time: a new value makes the kernel drop its pages.
    private var generation: Int
    /// What may be in the page cache. Of what an earlier worker has left, nothing is known.
    private var held: HeldContent

    /// - Parameters:
    ///   - key: ``NodeID/keyInContainer``.
    ///   - lock: that of ``CachedFiles``.
    ///   - generation: see ``firstGeneration(ofWorker:)``.
    init(key: UInt64, lock: Lock, generation: Int) {
        self.lock = lock
        self.generation = generation
        isProcFile = NodeID.isProcFile(key)
        isCounting = NodeID.isCounting(key)
        held = HeldContent(atFirst: generation == 0 ? 0 : .max)
    }

    /// What the files of a worker begin with. It is never what the worker before may have used:
    /// so the first thing that a worker tells of a file makes the kernel drop the pages that it
    /// has from an earlier one. It is 0 only for the first worker, for which the page cache is
    /// empty. It stays below a second, for it becomes nanoseconds.
    static func firstGeneration(ofWorker number: UInt64) -> Int {
        number <= 1 ? 0 : Int((number - 2) % 999 + 1) * 1_000_000
    }

    // MARK: - What is told

    /// The size that the kernel was told last.
    private var told: FileSize? {
        announced.map { FileSize(bytes: $0, generation: generation) }
    }

    /// The size of content that is not older than the window; nil if new content is due.
    func freshSize(now: UInt64, window: UInt64) -> FileSize? {
        lock.withLock {
            guard let snapshot, clampedDifference(now, snapshot.time) < window else {
                return nil
            }
            return told
        }
    }

    /// What the kernel is told when it looks the name up: what it was told last. Of a file that
    /// it does not know, as much as one READ may bring, so that a first sendfile(2) gets content
    /// of any smaller size.
    var sizeForLookup: FileSize {
        lock.withLock {
            let bytes = announced ?? Self.oneRead
            announced = bytes
            return FileSize(bytes: bytes, generation: generation)
        }
    }

    /// The kernel reads ahead at least so many bytes in one request.
    private static let oneRead = 16384

    /// The size to tell the kernel after ``install(_:_:)``: never more than it knows already.
    ///
    /// - Parameter content: that of the step.
    func announce(_ content: Snapshot) -> FileSize {
        lock.withLock { told ?? FileSize(bytes: content.count, generation: generation) }
    }

    private func dropPages() { generation = (generation + 1) % 1_000_000_000 }

    // MARK: - READ

    /// How a READ is answered.
    enum ReadAnswer {
        case content(Snapshot)
        /// With what was told of last, if that is still there: it has so many bytes.
        case former(count: Int?)
        /// There is no content that is fresh enough.
        case nothing
        /// Not now, but soon.
        case wait
    }

    /// What a READ of `size` bytes at `offset` is answered with.
    ///
    /// - Parameter made: content of now, if what there was has proved to be older than the
    ///   window.
    func contentForRead(
        _ made: Snapshot?, now: UInt64, window: UInt64, offset: Int, size: Int
    ) -> ReadAnswer {
        lock.withLock {
            var isCurrent = true
            switch change {
            case .none:
                isCurrent = snapshot.map { clampedDifference(now, $0.time) < window } ?? false
                if !isCurrent, made == nil { return .nothing }
            case .settling: return .wait
            case .growing(let since):
                if clampedDifference(now, since) < Self.timeToTell { return .wait }
            // What is being pushed comes onto whatever READ has brought meanwhile, so that must be
            // the same.
            case .pushing, .dropping: break
            }
            readAt = now
            if isCurrent {
                guard let snapshot else { return former(now: now) }
                held.add(snapshot.count)
                return .content(snapshot)
            }
            guard let content = made.map(padded) else { return .nothing }
            // The kernel would cut what is longer than it knows. Of what is shorter it sees where
            // the end is by getting less than it asked for.
            guard let announced, content.count <= announced,
                content.count == announced || announced == Self.oneRead
                    || offset == 0 && size > content.count
            else { return former(now: now) }
            self.announced = content.count
            snapshot = content
            held.add(content.count)
            return .content(content)
        }
    }

    /// How long the kernel needs to take note of a size that is pushed, in nanoseconds.
    private static let timeToTell: UInt64 = 200_000

    /// What the kernel was told of last answers a READ.
    private func former(now: UInt64) -> ReadAnswer {
        if let announced { held.add(announced) }
        if let snapshot, snapshot.count == announced,
            clampedDifference(now, snapshot.time) <= ToldContents.moment
        {
            return .content(snapshot)
        }
        return .former(count: announced)
    }

    // MARK: - New content

    /// What is left to do after new content has been made.
    struct Step {
        enum Action {
            /// Nothing: the page cache has it, or READ will fill it, or another thread is at it.
            case none
            /// Push it, and report with ``CachedFile/stored(_:success:)``.
            case store
            /// It is longer than the kernel knows: drop pages, call
            /// ``CachedFile/settles(now:window:)`` and ``CachedFile/beginGrowing(_:now:)``, push
            /// it, report, and call ``PushPermits/endGrowing()``.
            case grow
            /// It is shorter, or nobody has seen the former, or it could not get longer in time:
            /// report with ``CachedFile/resized(_:success:)``. Then READ will bring it.
            case resize
        }

        /// What is the content now: what has been made, padded, or what another thread has made.
        let content: Snapshot?
        let action: Action
        /// Pages have to be dropped before that, and ``CachedFile/dropped()`` to be called.
        let dropsFirst: Bool

        init(_ content: Snapshot?, _ action: Action = .none, dropsFirst: Bool = false) {
            self.content = content
            self.action = action
            self.dropsFirst = dropsFirst
        }
    }

    /// Makes `made` the content of the file and decides how the kernel gets it.
    ///
    /// - Parameter permits: one is taken for every action but `none`; the caller gives it back.
    func install(_ made: Snapshot, _ permits: PushPermits) -> Step {
        // Asked for first: taking one may wait.
        let mayPush = permits.take()
        let step: Step = lock.withLock {
            // What another thread is pushing is as good, and so is what it has made later and
            // finished earlier.
            guard change.isNone else { return Step(snapshot) }
            if let snapshot, snapshot.time > made.time { return Step(snapshot) }
            let content = padded(made)
            let hasSize = announced == content.count
            if hasSize, isHeld(content) {
                snapshot = content
                pushedAt = content.time
                return Step(content)
            }
            let grows = announced.map { $0 < content.count } ?? false
            let mayGrow = grows && mayPush && permits.beginGrowing()
            if grows, !mayGrow, let former = snapshot {
                let since = waitsSince ?? made.time
                waitsSince = since
                if clampedDifference(made.time, since) < Self.longestWait {
                    readAt = made.time
                    return Step(former)
                }
            }
            waitsSince = nil
            guard mayPush else {
                announced = content.count
                snapshot = content
                dropPages()
                return Step(content)
            }
            let drops = held.longest > (hasSize ? content.count : 0)
            if drops { held.beginDropping(isChanging: false) }
            held.add(content.count)
            if mayGrow {
                change = .dropping
                return Step(content, .grow, dropsFirst: drops)
            }
            snapshot = content
            change = .pushing
            return Step(content, hasSize ? .store : .resize, dropsFirst: drops)
        }
        if mayPush, step.action == .none { permits.give() }
        return step
    }

    /// How long content waits until that of others has become longer, in nanoseconds.
    private static let longestWait: UInt64 = 100_000_000

    /// Whether the page cache holds `content` already, from the last time that it was pushed.
    private func isHeld(_ content: Snapshot) -> Bool {
        guard let snapshot, pushedAt == snapshot.time, held.longest == content.count else {
            return false
        }
        return snapshot.bytes.equals(content.bytes)
    }

    /// Whether longer content is to be pushed after a READ that `made` was too long for. A reader
    /// who asks for no attributes would never see it, because only an answer to that question
    /// makes content longer otherwise.
    ///
    /// - Returns: what is to be done as for ``Step/Action/grow``; nil for nothing.
    func outgrow(_ made: Snapshot, _ permits: PushPermits) -> Snapshot? {
        guard permits.take() else { return nil }
        let longer: Snapshot? = lock.withLock {
            let content = padded(made)
            guard change.isNone, let announced, announced < content.count,
                (snapshot?.time ?? 0) <= made.time, permits.beginGrowing()
            else { return nil }
            waitsSince = nil
            held.beginDropping(isChanging: false)
            held.add(content.count)
            change = .dropping
            return content
        }
        if longer == nil { permits.give() }
        return longer
    }

    /// Pages of former content have been dropped, and longer content is to be pushed.
    ///
    /// - Returns: see ``wasShown(now:window:)``.
    func settles(now: UInt64, window: UInt64) -> Bool {
        lock.withLock {
            change = .settling
            return isSeen(now: now, window: window)
        }
    }

    /// Whether a reader may have got the content just now, and not yet have asked for more.
    func wasShown(now: UInt64, window: UInt64) -> Bool {
        lock.withLock { isSeen(now: now, window: window) }
    }

    private func isSeen(now: UInt64, window: UInt64) -> Bool {
        if clampedDifference(now, readAt) < Self.timeToLook { return true }
        guard let snapshot else { return false }
        // What the kernel is told at the end of the window holds as long again.
        return clampedDifference(now, snapshot.time) < 2 * window + Self.timeToLook
    }

    /// How long a reader may take between its last READ and asking for the size again, in
    /// nanoseconds.
    private static let timeToLook: UInt64 = 20_000_000

    /// The former content stays.
    func abandonGrowing() { lock.withLock { change = .none } }

    func beginGrowing(_ content: Snapshot, now: UInt64) {
        lock.withLock {
            snapshot = content
            change = .growing(since: now)
            // An answer that repeats the former size may be to a question from after the push.
            announced = content.count
        }
    }

    func stored(_ content: Snapshot, success: Bool) {
        lock.withLock {
            change = .none
            announced = content.count
            pushedAt = success ? content.time : nil
            if !success { dropPages() }
        }
    }

    /// - Parameter success: pages of former content have been dropped.
    func resized(_ content: Snapshot, success: Bool) {
        lock.withLock {
            change = .none
            announced = content.count
            if !success { dropPages() }
        }
    }

    // MARK: - Content of an earlier worker

    /// Makes what an earlier worker has told the kernel of the content of the file.
    func adopt(_ content: Snapshot) {
        lock.withLock {
            snapshot = content
            announced = content.count
        }
    }

    /// Content of an earlier worker is shown once more.
    ///
    /// - Returns: what the kernel is told, and the time of content that is to be given to
    ///   ``Expirer``.
    func repeated(
        _ former: Snapshot, now: UInt64, window: UInt64
    ) -> (size: FileSize, scheduled: UInt64?) {
        lock.withLock {
            readAt = now
            held.add(former.count)
            let size = told ?? FileSize(bytes: former.count, generation: generation)
            guard snapshot == nil else { return (size, nil) }
            // Too old for a reader who asks when this moment is over.
            let again = Snapshot(former.bytes, time: clampedDifference(now, window))
            snapshot = again
            return (size, again.time)
        }
    }

    // MARK: - Dropping

    /// Ends the life of the content of `time`. The kernel is then to drop what it has, and
    /// ``dropped()`` to be called.
    ///
    /// - Returns: false if there is newer content.
    func expire(time: UInt64) -> Bool {
        lock.withLock {
            guard let snapshot, snapshot.time == time else { return false }
            // Readers who ask while longer content waits are shown it.
            if waitsSince == nil { self.snapshot = nil }
            held.beginDropping(isChanging: !change.isNone)
            return true
        }
    }

    /// The kernel has dropped what it had.
    func dropped() { lock.withLock { held.finishDropping() } }

    // MARK: - Padding

    /// `content` with spaces: as many as it takes to the size that the kernel has been told, if
    /// that is a little longer; else as many as longer content may need later, if there is
    /// reason to expect that.
    private func padded(_ content: Snapshot) -> Snapshot {
        guard isProcFile else { return content }
        if let announced, announced >= content.count,
            announced - content.count <= Self.longestPadding
        {
            return content.padded(to: announced)
        }
        let hasGrown = announced.map { $0 < content.count } ?? false
        guard content.count >= Self.shortest, hasGrown || isCounting else { return content }
        let room = min(max(content.count / 16, 16), Self.largestRoom)
        return content.padded(to: content.count + room)
    }

    /// Of what is shorter, a line or two, programs look at the end; and it seldom gets longer.
    private static let shortest = 128
    /// With it the last line of `stat` is not wider than a terminal.
    private static let largestRoom = 48
    /// More than numbers get shorter by, less than a CPU or a device takes.
    private static let longestPadding = largestRoom + 64
}
