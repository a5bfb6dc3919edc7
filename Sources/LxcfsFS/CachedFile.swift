import Cgroups
import Glibc
import Synchronization
import Syscalls

/// A file of a container tree and what the kernel has of it in its page cache.
///
/// Guarded by ``Container/filesLock``.
final class CachedFile {
    /// The content as long as it is within the window; READ is answered from it.
    var snapshot: Snapshot?
    /// The size that the kernel was told last.
    var announced: Int?
    /// What a thread is doing with the page cache. That waits for readers of the page, so
    /// another thread must not wait for it in turn.
    var change = CacheChange.none
    /// When a READ was answered last, or content was shown that is older than the window.
    var readAt: UInt64 = 0
    /// Since when longer content waits for that of other files, see ``StoreSlots/beginGrowing()``.
    var waitsSince: UInt64?
    /// The time of the snapshot that was pushed last, as long as the page cache can hold
    /// nothing else.
    var pushedAt: UInt64?
    /// Shown in the modification time: a new value makes the kernel drop its pages.
    var generation = CachedFile.firstGeneration
    /// What may be in the page cache. Of what an earlier worker has left, nothing is known.
    var held = HeldContent(atFirst: CachedFile.firstGeneration == 0 ? 0 : .max)

    /// Differs between workers: the first thing that a new one tells of a file makes the
    /// kernel drop the pages that it has from an earlier one. Set once, before the first
    /// request.
    nonisolated(unsafe) static var firstGeneration = 0

    /// What a worker begins with: 0 for the first one only, for which the page cache is empty,
    /// and never what the one before may have used. It has to stay below a second, for it becomes
    /// nanoseconds.
    static func firstGeneration(ofWorker number: UInt64) -> Int {
        number <= 1 ? 0 : Int((number - 2) % 999 + 1) * 1_000_000
    }

    /// Whether the page cache holds `content` already, from the last time that it was pushed.
    func isHeld(_ content: Snapshot) -> Bool {
        guard let snapshot, pushedAt == snapshot.time, held.longest == content.count else {
            return false
        }
        return snapshot.bytes.equals(content.bytes)
    }

    /// What the kernel is told: never more than it knows already, see ``FileSize``.
    var size: FileSize? { announced.map { FileSize(bytes: $0, generation: generation) } }

    /// `content` with spaces: as many as it takes to the size that the kernel has been told, if
    /// that is a little longer; else as many as may be needed by longer content later, if there
    /// is reason to expect that.
    func padded(_ content: Snapshot, _ key: UInt64) -> Snapshot {
        guard NodeID.isProcFile(key) else { return content }
        if let announced, announced >= content.count,
            announced - content.count <= Self.longestPadding
        {
            return content.padded(to: announced)
        }
        let hasGrown = announced.map { $0 < content.count } ?? false
        guard content.count >= Self.shortest, hasGrown || NodeID.isCounting(key) else {
            return content
        }
        let room = min(max(content.count / 16, 16), Self.largestRoom)
        return content.padded(to: content.count + room)
    }

    /// Of what is shorter, a line or two, programs look at the end; and it seldom gets longer.
    private static let shortest = 128
    /// With it the last line of `stat` is not wider than a terminal.
    private static let largestRoom = 48
    /// More than numbers get shorter by, less than a CPU or a device takes.
    private static let longestPadding = largestRoom + 64

    /// See ``Container/wasShown(_:now:window:)``.
    func wasShown(now: UInt64, window: UInt64) -> Bool {
        if clampedDifference(now, readAt) < Self.timeToLook { return true }
        guard let snapshot else { return false }
        // What the kernel is told at the end of the window holds as long again.
        return clampedDifference(now, snapshot.time) < 2 * window + Self.timeToLook
    }

    /// What the kernel was told of last answers a READ.
    func former(now: UInt64) -> ReadAnswer {
        if let announced { held.add(announced) }
        if let snapshot, snapshot.count == announced,
            clampedDifference(now, snapshot.time) <= Announcements.moment
        {
            return .content(snapshot)
        }
        return .former(count: announced)
    }

    /// How long somebody may be kept from asking, in nanoseconds.
    private static let timeToLook: UInt64 = 20_000_000

    func dropPages() { generation = (generation + 1) % 1_000_000_000 }
}

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

/// How many threads may push into the page cache at one time. Pushing can wait for a READ to
/// be answered, so there must always be threads left that answer.
final class StoreSlots: Sendable {
    private let free: Atomic<Int>

    init(_ count: Int) { free = Atomic(count) }

    /// Waits for a moment, but not for as long as it takes: who has them may wait for whoever
    /// waits here.
    func take() -> Bool {
        for _ in 0..<Self.attempts {
            if takeNow() { return true }
            usleep(50)
        }
        return takeNow()
    }

    private static let attempts = 20

    private func takeNow() -> Bool {
        if free.subtract(1, ordering: .acquiring).newValue >= 0 { return true }
        free.add(1, ordering: .releasing)
        return false
    }

    func give() { free.add(1, ordering: .releasing) }

    private let isGrowing = Atomic<Bool>(false)

    /// One content gets longer at a time: it rests for a while, and READ waits for it, so there
    /// would be no thread left that tells those who have read it that it has ended.
    func beginGrowing() -> Bool { !isGrowing.exchange(true, ordering: .acquiring) }

    func endGrowing() { isGrowing.store(false, ordering: .releasing) }
}

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

/// What a thread is doing with the page cache.
enum CacheChange {
    case none
    /// Pushing content of the size that the kernel knows.
    case pushing
    /// Dropping pages, because the size will change. READ still gets what there was.
    case dropping
    /// Giving those who have got it the time to look at the size. READ waits.
    case settling
    /// Pushing longer content, since a time. The kernel takes note of the size first, then waits
    /// for a page that READ may have to bring; so READ waits only until the size is known.
    case growing(since: UInt64)

    var isNone: Bool { if case .none = self { true } else { false } }
}

/// What the kernel is told about a file.
///
/// It hears of a size by answers to GETATTR, which it takes note of in any order, for each is
/// taken note of by the process that asked, once that runs; and if several are under way, it
/// ignores all but the first (`attr_version` in fs/fuse). With a size that is too small it cuts
/// what it shows, with one that is too large it shows zeros behind. So
///
/// - files under `/proc` do not get shorter, see ``Snapshot/padded(to:)``, and seldom longer: those
///   that count up have room for that;
/// - longer content is pushed, which tells of the size at once and makes the kernel ignore
///   former answers, and only when it has no pages of the former content. Whoever has read that,
///   but has not yet been told that it has ended there, would get the rest of the longer one, so
///   there is a pause;
/// - answers repeat what it has been told.
///
/// What does get shorter, because a CPU or a device has gone, may be shown wrongly to those who
/// read in that moment.
struct FileSize: Equatable {
    let bytes: Int
    let generation: Int
}

/// What is left to do after new content has been rendered.
struct CacheStep {
    enum Action {
        /// Nothing: the page cache has it, or will be filled by READ, or another thread is at it.
        case none
        /// Push it, and report with ``Container/stored(_:_:success:)``.
        case store
        /// Its size is larger than the kernel knows: drop pages, call
        /// ``Container/settles(_:now:window:)`` and ``Container/beginGrowing(_:_:now:)``, push it,
        /// and call ``StoreSlots/endGrowing()``.
        case grow
        /// Its size is another, and nobody has seen the former, or it has got shorter, or could not
        /// get longer in time: report with ``Container/resized(_:_:success:)``. Then READ will bring it.
        case resize
    }

    /// What is the content now: what has been rendered, padded, or what another thread has made.
    let content: Snapshot?
    let action: Action
    /// Pages have to be dropped before that, and ``Container/dropped(_:)`` to be called.
    let dropsFirst: Bool

    init(_ content: Snapshot?, _ action: Action = .none, dropsFirst: Bool = false) {
        self.content = content
        self.action = action
        self.dropsFirst = dropsFirst
    }
}

extension Container {
    /// Size of content that is not older than the window.
    func freshSize(_ key: UInt64, now: UInt64, window: UInt64) -> FileSize? {
        filesLock.withLock {
            guard let file = files[key], let snapshot = file.snapshot,
                clampedDifference(now, snapshot.time) < window
            else { return nil }
            return file.size
        }
    }

    /// What a READ of `size` bytes at `offset` is answered with.
    ///
    /// - Parameter made: content of now, if what there was has proved to be older than the window.
    func contentForRead(
        _ key: UInt64, _ made: Snapshot?, now: UInt64, window: UInt64, offset: Int, size: Int
    ) -> ReadAnswer {
        filesLock.withLock {
            guard let file = made == nil ? files[key] : file(key) else { return .nothing }
            var isCurrent = true
            switch file.change {
            case .none:
                isCurrent =
                    file.snapshot.map { clampedDifference(now, $0.time) < window } ?? false
                if !isCurrent, made == nil { return .nothing }
            case .settling: return .wait
            case .growing(let since):
                if clampedDifference(now, since) < Self.timeToTell { return .wait }
            // What is being pushed comes onto whatever READ has brought meanwhile, so that must be
            // the same.
            case .pushing, .dropping: break
            }
            file.readAt = now
            if isCurrent {
                guard let snapshot = file.snapshot else { return file.former(now: now) }
                file.held.add(snapshot.count)
                return .content(snapshot)
            }
            guard let content = made.map({ file.padded($0, key) }) else { return .nothing }
            // The kernel would cut what is longer than it knows. Of what is shorter it sees where
            // the end is by getting less than it asked for.
            guard let announced = file.announced, content.count <= announced,
                content.count == announced || announced == Self.oneRead
                    || offset == 0 && size > content.count
            else { return file.former(now: now) }
            file.announced = content.count
            file.snapshot = content
            file.held.add(content.count)
            return .content(content)
        }
    }

    /// How long the kernel needs to take note of a size that is pushed, in nanoseconds.
    private static let timeToTell: UInt64 = 200_000

    /// Makes `made` the content of a file and decides how the kernel gets it.
    func install(_ made: Snapshot, _ key: UInt64, _ slots: StoreSlots) -> CacheStep {
        // Asked for first: taking one may wait.
        let hasSlot = slots.take()
        let step: CacheStep = filesLock.withLock {
            let file = file(key)
            // What another thread is pushing is as good, and so is what it has rendered later
            // and finished earlier.
            guard file.change.isNone else { return CacheStep(file.snapshot) }
            if let former = file.snapshot, former.time > made.time { return CacheStep(former) }
            let snapshot = file.padded(made, key)
            let hasSize = file.announced == snapshot.count
            if hasSize, file.isHeld(snapshot) {
                file.snapshot = snapshot
                file.pushedAt = snapshot.time
                return CacheStep(snapshot)
            }
            let grows = file.announced.map { $0 < snapshot.count } ?? false
            let mayGrow = grows && hasSlot && slots.beginGrowing()
            if grows, !mayGrow, let former = file.snapshot {
                let since = file.waitsSince ?? made.time
                file.waitsSince = since
                if clampedDifference(made.time, since) < Self.longestWait {
                    file.readAt = made.time
                    return CacheStep(former)
                }
            }
            file.waitsSince = nil
            guard hasSlot else {
                file.announced = snapshot.count
                file.snapshot = snapshot
                file.dropPages()
                return CacheStep(snapshot)
            }
            let longest = file.held.longest
            let drops = longest > (hasSize ? snapshot.count : 0)
            if drops { file.held.beginDropping(isChanging: false) }
            file.held.add(snapshot.count)
            if mayGrow {
                file.change = .dropping
                return CacheStep(snapshot, .grow, dropsFirst: drops)
            }
            file.snapshot = snapshot
            file.change = .pushing
            return CacheStep(snapshot, hasSize ? .store : .resize, dropsFirst: drops)
        }
        if hasSlot, step.action == .none { slots.give() }
        return step
    }

    /// After a READ that `made` was too long for: whoever asks for no attributes would never see
    /// it, because only an answer to that question makes content longer otherwise.
    ///
    /// - Returns: what is to be done as for ``CacheStep/Action/grow``; nil for nothing.
    func outgrow(_ made: Snapshot, _ key: UInt64, _ slots: StoreSlots) -> Snapshot? {
        guard slots.take() else { return nil }
        let longer: Snapshot? = filesLock.withLock {
            let file = file(key)
            let snapshot = file.padded(made, key)
            guard file.change.isNone, let announced = file.announced,
                announced < snapshot.count, (file.snapshot?.time ?? 0) <= made.time,
                slots.beginGrowing()
            else { return nil }
            file.waitsSince = nil
            file.held.beginDropping(isChanging: false)
            file.held.add(snapshot.count)
            file.change = .dropping
            return snapshot
        }
        if longer == nil { slots.give() }
        return longer
    }

    /// How long content waits until that of others has become longer, in nanoseconds.
    private static let longestWait: UInt64 = 100_000_000

    /// Pages of former content have been dropped, and longer content is to be pushed.
    ///
    /// - Returns: see ``wasShown(_:now:window:)``.
    func settles(_ key: UInt64, now: UInt64, window: UInt64) -> Bool {
        filesLock.withLock {
            let file = file(key)
            file.change = .settling
            return file.wasShown(now: now, window: window)
        }
    }

    /// Whether somebody may have got the content just now, and not yet have asked for more.
    func wasShown(_ key: UInt64, now: UInt64, window: UInt64) -> Bool {
        filesLock.withLock { file(key).wasShown(now: now, window: window) }
    }

    /// The former content stays.
    func abandonGrowing(_ key: UInt64) { filesLock.withLock { file(key).change = .none } }

    func beginGrowing(_ key: UInt64, _ snapshot: Snapshot, now: UInt64) {
        filesLock.withLock {
            let file = file(key)
            file.snapshot = snapshot
            file.change = .growing(since: now)
            // An answer that repeats the former size may be to a question from after the push.
            file.announced = snapshot.count
        }
    }

    func stored(_ key: UInt64, _ snapshot: Snapshot, success: Bool) {
        filesLock.withLock {
            let file = file(key)
            file.change = .none
            file.announced = snapshot.count
            file.pushedAt = success ? snapshot.time : nil
            if !success { file.dropPages() }
        }
    }

    /// - Parameter success: pages of former content have been dropped.
    func resized(_ key: UInt64, _ snapshot: Snapshot, success: Bool) {
        filesLock.withLock {
            let file = file(key)
            file.change = .none
            file.announced = snapshot.count
            if !success { file.dropPages() }
        }
    }

    /// The size to tell the kernel after ``install(_:_:_:)``.
    func announce(_ key: UInt64, _ snapshot: Snapshot) -> FileSize {
        filesLock.withLock {
            let file = file(key)
            return file.size ?? FileSize(bytes: snapshot.count, generation: file.generation)
        }
    }

    /// What the kernel was told last; of a file that it does not know, as much as one READ
    /// may bring, so that a first sendfile(2) gets content of any smaller size.
    func sizeForLookup(_ key: UInt64) -> FileSize {
        filesLock.withLock {
            let file = file(key)
            let bytes = file.announced ?? Self.oneRead
            file.announced = bytes
            return FileSize(bytes: bytes, generation: file.generation)
        }
    }

    /// The kernel reads ahead at least so many bytes in one request.
    static let oneRead = 16384

    /// Makes what an earlier worker has told the kernel of the content of a file.
    func adopt(_ snapshot: Snapshot, _ key: UInt64) {
        filesLock.withLock {
            let file = file(key)
            file.snapshot = snapshot
            file.announced = snapshot.count
        }
    }

    /// Content of an earlier worker is shown once more.
    ///
    /// - Returns: what the kernel is told, and the time of content that is to be scheduled with
    ///   ``Expirer/schedule(_:_:time:)``.
    func repeated(
        _ key: UInt64, _ former: Snapshot, now: UInt64, window: UInt64
    ) -> (size: FileSize, scheduled: UInt64?) {
        filesLock.withLock {
            let file = file(key)
            file.readAt = now
            file.held.add(former.count)
            let size =
                file.size ?? FileSize(bytes: former.count, generation: file.generation)
            guard file.snapshot == nil else { return (size, nil) }
            // Too old for whoever asks when this moment is over.
            let again = Snapshot(former.bytes, time: clampedDifference(now, window))
            file.snapshot = again
            return (size, again.time)
        }
    }

    /// Ends the life of the content of `time`. The kernel is then to drop what it has, and
    /// ``dropped(_:)`` to be called.
    ///
    /// - Returns: false if there is newer content.
    func expire(_ key: UInt64, time: UInt64) -> Bool {
        filesLock.withLock {
            guard let file = files[key], let snapshot = file.snapshot, snapshot.time == time
            else { return false }
            // Those who ask while longer content waits are shown it.
            if file.waitsSince == nil { file.snapshot = nil }
            file.held.beginDropping(isChanging: !file.change.isNone)
            return true
        }
    }

    func dropped(_ key: UInt64) {
        filesLock.withLock { files[key]?.held.finishDropping() }
    }

    private func file(_ key: UInt64) -> CachedFile {
        if let known = files[key] { return known }
        let made = CachedFile()
        files[key] = made
        return made
    }
}
