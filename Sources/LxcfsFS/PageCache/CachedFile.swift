import Glibc
import KernelText
import Syscalls

/// A file of a container, and what the kernel has of it in its page cache: the rules by which
/// its size and pages change, see ``FileSize``. It decides; ``PageCache`` acts.
///
/// Every method takes the lock of the container's files for a moment.
final class CachedFile: @unchecked Sendable {
    private let lock: Lock
    /// When pages of the container may be dropped.
    let turns: DropTurns
    /// The content as long as it is within the window; READ is answered from it.
    private var snapshot: Snapshot?
    /// The size that the kernel was told last.
    private(set) var announced: Int?
    /// Whether the kernel surely has taken note of that. When content has become shorter, it does
    /// with the first READ, and until then nothing is pushed: zeros might be seen behind.
    private var isNoted = true
    /// What a thread is doing with the pages. That thread waits for readers of the page, so
    /// another thread must not wait for it in turn.
    private var change = CacheChange.none
    /// When a READ was answered last, or content was shown that is older than the window.
    private var readAt: UInt64 = 0
    /// When the kernel was told a size last, as far as that matters: it may be about to take note
    /// of it.
    private var toldAt: UInt64 = 0
    /// When the kernel was last told, of a file that it had never read, as much as one READ may bring;
    /// nil if it has taken note of that answer.
    private var guessedAt: UInt64?
    /// When the size has changed last.
    private var resizedAt: UInt64?
    /// A READ was answered, or a size told, while pages were being dropped for content of another
    /// size.
    private var isUsedMeanwhile = false
    /// How many threads drop pages because their time is over.
    private var expiring = 0
    /// Since when content of another size waits for that of other files, see
    /// ``PushPermits/beginResizing()``.
    private var waitsSince: UInt64?
    /// The time of the snapshot that was pushed last, as long as the page cache can hold
    /// nothing else.
    private var pushedAt: UInt64?
    /// Shown in the modification time: a new value makes the kernel drop its pages.
    private var generation: Int
    /// What may be in the page cache. Of what an earlier worker has left, nothing is known.
    private var held: HeldContent

    /// - Parameters:
    ///   - lock: that of ``CachedFiles``.
    ///   - generation: see ``firstGeneration(ofWorker:)``.
    ///   - turns: those of the container.
    init(lock: Lock, generation: Int, turns: DropTurns = DropTurns()) {
        self.lock = lock
        self.turns = turns
        self.generation = generation
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

    /// How GETATTR is answered.
    enum SizeAnswer {
        /// With the size of content that is not older than the window.
        case fresh(FileSize)
        /// New content is due.
        case due
        /// Not now: pages are being dropped, which may have to wait for a READ.
        case waitForAMoment
        /// Not now, but soon: the size is about to change.
        case wait
    }

    /// What GETATTR is answered with.
    func sizeToTell(now: UInt64, window: UInt64) -> SizeAnswer {
        lock.withLock {
            switch change {
            case .clearing: return .waitForAMoment
            case .resting: return .wait
            case .none, .pushing, .dropping, .settling, .growing: break
            }
            guard let snapshot, clampedDifference(now, snapshot.time) < window, let told else {
                return .due
            }
            toldAt = now
            return .fresh(told)
        }
    }

    /// What a GETATTR is answered with that cannot wait: the size that the kernel knows. It
    /// changes a little later then.
    func sizeMeanwhile(now: UInt64) -> FileSize {
        lock.withLock { repeatSize(now: now) }
    }

    /// What the kernel is told when it looks the name up: what it was told last. Of a file that
    /// it does not know, as much as one READ may bring, so that a first sendfile(2) gets content
    /// of any smaller size.
    func sizeForLookup(now: UInt64) -> FileSize { sizeMeanwhile(now: now) }

    private func noteTold() {
        switch change {
        case .clearing, .resting: isUsedMeanwhile = true
        case .none, .pushing, .dropping, .settling, .growing: break
        }
    }

    private func repeatSize(now: UInt64) -> FileSize {
        noteTold()
        toldAt = now
        let bytes = announced ?? Self.oneRead
        announced = bytes
        if bytes == Self.oneRead { guessedAt = now }
        return FileSize(bytes: bytes, generation: generation)
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
        /// Not before that thread waits in the kernel, see ``hasTold(_:)``.
        case waitFor(pid_t)
        /// Not before the kernel has taken note of what it was told at that time, see
        /// ``hasTaken(guessAt:)``: it would take no note of where this READ ends, and show zeros
        /// behind.
        case waitForAnswer(since: UInt64)
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
            case .settling, .resting: return .wait
            case .growing(let thread): return .waitFor(thread)
            // What is being pushed comes onto whatever READ has brought meanwhile, so that must be
            // the same.
            case .pushing: break
            case .dropping, .clearing: isUsedMeanwhile = true
            }
            readAt = now
            if isCurrent {
                guard let snapshot else { return former(now: now) }
                held.add(snapshot.count)
                return answer(snapshot)
            }
            guard let content = made else { return .nothing }
            guard let announced,
                content.count == announced || mayEnd(content, now, offset, size)
            else { return former(now: now) }
            self.announced = content.count
            toldAt = max(toldAt, content.time)
            snapshot = content
            held.add(content.count)
            return answer(content)
        }
    }

    private func answer(_ content: Snapshot) -> ReadAnswer {
        // Names that are looked up from now on are told the size of this content.
        guard let guessedAt, content.count < Self.oneRead else { return .content(content) }
        return .waitForAnswer(since: guessedAt)
    }

    /// The kernel has taken note of what it was told at `time` without knowing.
    func hasTaken(guessAt time: UInt64) {
        lock.withLock { if guessedAt == time { guessedAt = nil } }
    }

    /// Whether a READ may be answered with `content`, which is not of the size that the kernel
    /// knows. It would cut what is longer. Of what is shorter it sees where the end is by getting
    /// less than it asked for, if it takes note of no former answer in that moment.
    private func mayEnd(_ content: Snapshot, _ now: UInt64, _ offset: Int, _ size: Int) -> Bool
    {
        guard let announced, content.count < announced else { return false }
        if announced == Self.oneRead { return true }
        return offset == 0 && size > content.count
            && clampedDifference(now, toldAt) > ToldContents.moment
    }

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
            /// Nothing: the page cache has it, or another thread is at it, or READ will bring it.
            /// That is so for a file of which the kernel knows no content, or whose size could
            /// not change in time: the answer with the size makes the kernel drop its pages
            /// (dropping them before would make it ignore that answer).
            case none
            /// Push it, and report with ``CachedFile/stored(_:success:)``.
            case store
            /// It is longer than the kernel knows: drop pages between
            /// ``CachedFile/beginDropping()`` and ``CachedFile/settle(force:)``, let readers
            /// finish, call ``CachedFile/beginGrowing(_:by:now:)``, push it, report, and call
            /// ``PushPermits/endResizing()``.
            case grow
            /// It is shorter than the kernel knows: the same but for the last; call
            /// ``CachedFile/shrink(_:now:force:)`` and ``PushPermits/endResizing()``. Then READ will
            /// bring it.
            case shrink
            /// Another thread changes the size: ask again.
            case wait
        }

        /// What is the content now: what has been made, or what another thread has made.
        let content: Snapshot?
        let action: Action
        /// Pages have to be dropped before that, and ``CachedFile/dropped()`` to be called.
        let dropsFirst: Bool

        var takesPermit: Bool {
            switch action {
            case .none, .wait: false
            case .store, .grow, .shrink: true
            }
        }

        init(_ content: Snapshot?, _ action: Action = .none, dropsFirst: Bool = false) {
            self.content = content
            self.action = action
            self.dropsFirst = dropsFirst
        }
    }

    /// Makes `made` the content of the file and decides how the kernel gets it.
    ///
    /// - Parameters:
    ///   - permits: one is taken if ``Step/takesPermit``; the caller gives it back.
    ///   - mayWait: whether ``Step/Action/wait`` is an answer to that another file is changing its
    ///     size, and there is nothing to show meanwhile.
    func install(_ made: Snapshot, _ permits: PushPermits, mayWait: Bool = false) -> Step {
        // Asked for first: taking one may wait.
        let mayPush = permits.take()
        let step: Step = lock.withLock {
            switch change {
            case .clearing, .resting: return Step(nil, .wait)
            case .none, .pushing, .dropping, .settling, .growing: break
            }
            // What another thread is pushing is as good, and so is what it has made later and
            // finished earlier.
            toldAt = max(toldAt, made.time)
            guard change.isNone else { return Step(snapshot) }
            if let snapshot, snapshot.time > made.time { return Step(snapshot) }
            let hasSize = announced == made.count
            if hasSize, isHeld(made) {
                snapshot = made
                pushedAt = made.time
                return Step(made)
            }
            let resizes = !hasSize && announced != nil && announced != Self.oneRead
            let mayResize =
                resizes && mayPush && !isTooSoon(made) && turns.mayDrop(now: made.time)
                && permits.beginResizing(now: made.time)
            if resizes, !mayResize, let former = snapshot {
                let since = waitsSince ?? made.time
                waitsSince = since
                if clampedDifference(made.time, since)
                    < (permits.areNone ? Self.longestWait : Self.longestTurn)
                {
                    readAt = made.time
                    return Step(former)
                }
            }
            if resizes, !mayResize, snapshot == nil, mayPush, mayWait {
                return Step(nil, .wait)
            }
            waitsSince = nil
            let drops = !resizes && held.longest > made.count
            guard mayPush, !drops || turns.mayDrop(now: made.time) else {
                announced = made.count
                snapshot = made
                dropPages()
                return Step(made)
            }
            if mayResize {
                return Step(made, beginResizing(to: made))
            }
            guard hasSize, isNoted else {
                held.add(made.count)
                snapshot = made
                announced = made.count
                return Step(made)
            }
            if drops { held.beginDropping(isChanging: false) }
            held.add(made.count)
            snapshot = made
            change = .pushing
            return Step(made, .store, dropsFirst: drops)
        }
        if mayPush, !step.takesPermit { permits.give() }
        return step
    }

    /// How long content waits until its size, while it is read all the time, changes again; in
    /// nanoseconds.
    private static let longestWait: UInt64 = 100_000_000

    /// How long it waits at most until the sizes of others have changed. After that its own changes
    /// in a way that a reader might notice.
    private static let longestTurn: UInt64 = 2_000_000_000

    /// Whether the size has changed a moment ago, under the eyes of readers. Each time these wait,
    /// and so does the thread that answers them.
    private func isTooSoon(_ made: Snapshot) -> Bool {
        guard let resizedAt, let snapshot else { return false }
        let since = clampedDifference(made.time, resizedAt)
        return since < Self.timeToLook
            || since < Self.longestWait
                && clampedDifference(made.time, snapshot.time) < 2 * Self.timeToLook
    }

    /// Whether the page cache holds `content` already, from the last time that it was pushed.
    private func isHeld(_ content: Snapshot) -> Bool {
        guard let snapshot, pushedAt == snapshot.time, held.longest == content.count else {
            return false
        }
        return snapshot.bytes.equals(content.bytes)
    }

    /// Whether the size is to change after a READ that `made` did not fit. A reader who asks for no
    /// attributes would never see it, because only an answer to that question changes the size
    /// otherwise.
    ///
    /// - Returns: what is to be done, ``Step/Action/grow`` or ``Step/Action/shrink``; nil for
    ///   nothing.
    func outgrow(_ made: Snapshot, _ permits: PushPermits) -> Step? {
        guard permits.take() else { return nil }
        let step: Step? = lock.withLock {
            guard change.isNone, let announced, announced != made.count,
                (snapshot?.time ?? 0) <= made.time, turns.mayDrop(now: made.time),
                permits.beginResizing(now: made.time)
            else { return nil }
            waitsSince = nil
            return Step(made, beginResizing(to: made))
        }
        if step == nil { permits.give() }
        return step
    }

    private func beginResizing(to made: Snapshot) -> Step.Action {
        let grows = announced.map { $0 < made.count } ?? false
        // If the kernel may have that size already, telling it would change nothing, and it would
        // go on to take note of former answers.
        change = grows && isNoted ? .dropping : .clearing
        return grows ? .grow : .shrink
    }

    /// Pages are about to be dropped for content of another size.
    func beginDropping() {
        lock.withLock {
            isUsedMeanwhile = false
            if case .resting = change { change = .clearing }
            held.beginDropping(isChanging: false)
        }
    }

    /// Pages have been dropped for content of another size. From now on READ waits.
    ///
    /// - Parameter force: in any case.
    /// - Returns: false if the pages have to be dropped again, since a READ has brought one. For
    ///   shorter content also if a size was told that the kernel would believe, or if another
    ///   thread is dropping them, after which the kernel would not believe the READ.
    func settle(force: Bool) -> Bool {
        lock.withLock {
            let isShrinking = if case .clearing = change { true } else { false }
            if !force, isUsedMeanwhile || isShrinking && expiring > 0 { return false }
            change = isShrinking ? .resting : .settling
            return true
        }
    }

    /// The kernel has no pages, and a thread is about to push longer content.
    func beginGrowing(_ content: Snapshot, by thread: pid_t, now: UInt64) {
        lock.withLock {
            change = .growing(thread: thread)
            snapshot = content
            resizedAt = now
            held.add(content.count)
            // An answer that repeats the former size may be to a question from after the push.
            announced = content.count
        }
    }

    /// The kernel has taken note of the size that `thread` tells.
    func hasTold(_ thread: pid_t) {
        lock.withLock {
            if case .growing(thread) = change { change = .pushing }
        }
    }

    /// The kernel has no pages, and is under way to take note of no former size: `content` comes
    /// by READ.
    ///
    /// - Parameter force: even if it may be.
    /// - Returns: false if a size has been told, see ``settle(force:)``.
    func shrink(_ content: Snapshot, now: UInt64, force: Bool) -> Bool {
        lock.withLock {
            if !force, isUsedMeanwhile { return false }
            change = .none
            snapshot = content
            announced = content.count
            held.add(content.count)
            resizedAt = now
            pushedAt = nil
            isNoted = false
            if force { dropPages() }
            return true
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
    func abandonResizing() { lock.withLock { change = .none } }

    /// A READ has been answered with the end of content of `count` bytes, and with less than was
    /// asked for.
    func hasShownEnd(of count: Int) {
        lock.withLock { if announced == count, change.isNone { isNoted = true } }
    }

    func stored(_ content: Snapshot, success: Bool) {
        lock.withLock {
            isNoted = isNoted || success
            change = .none
            announced = content.count
            pushedAt = success ? content.time : nil
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
            toldAt = now
            noteTold()
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

    /// What to do at the end of a content's life.
    enum Expiry {
        /// The kernel is to drop what it has, then call ``dropped()`` and ``endExpiring()``.
        case drop
        /// There is newer content.
        case nothing
        /// Not now, but soon: a READ that waits would not be believed.
        case wait
    }

    /// Ends the life of the content of `time`.
    ///
    /// - Parameters:
    ///   - always: pages are to be dropped even if there is newer content.
    ///   - now: on the monotonic clock.
    func expire(time: UInt64, always: Bool = false, now: UInt64) -> Expiry {
        lock.withLock {
            if case .resting = change { return .wait }
            if let resizedAt, clampedDifference(now, resizedAt) < Self.timeToLook {
                return .wait
            }
            let isCurrent = snapshot.map { $0.time == time } ?? false
            guard isCurrent || always else { return .nothing }
            if isCurrent {
                // Readers who ask while content of another size waits are shown it.
                if waitsSince == nil { self.snapshot = nil }
                held.beginDropping(isChanging: !change.isNone)
            }
            expiring += 1
            return .drop
        }
    }

    /// What ``expire(time:always:)`` has asked for is done.
    func endExpiring() { lock.withLock { expiring -= 1 } }

    /// The kernel has dropped what it had.
    func dropped() { lock.withLock { held.finishDropping() } }
}
