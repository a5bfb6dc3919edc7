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
    /// A thread is pushing a snapshot into the page cache. That waits for readers of the
    /// page, so another thread must not wait for it in turn.
    var storing = false
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

    /// Whether the page cache holds `content` already, from the last time that it was pushed.
    func isHeld(_ content: Snapshot) -> Bool {
        guard let snapshot, pushedAt == snapshot.time, held.longest == content.count else {
            return false
        }
        return snapshot.bytes.equals(content.bytes)
    }

    /// What the kernel is told of `content`.
    func size(of content: Snapshot) -> FileSize {
        // Until it has been pushed, the kernel may think of the former size.
        if !storing { announced = content.count }
        return FileSize(bytes: content.count, generation: generation)
    }

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
}

/// What a READ is answered with.
struct ReadContent {
    let content: Snapshot
    /// The content is being pushed at this moment: the kernel thinks of a smaller size, and
    /// would cut it. What was announced with that size is better, if it is still there.
    let announced: Int?
}

/// What the kernel is told about a file.
struct FileSize: Equatable {
    let bytes: Int
    let generation: Int
}

/// What is left to do after new content has been rendered.
enum CacheStep {
    /// Push it, and report with ``Container/stored(_:_:success:)``. If pages have to be dropped
    /// before that, report that with ``Container/dropped(_:)``.
    case store(droppingFirst: Bool)
    /// Nothing: the page cache has it, or will be filled by READ, or another thread is pushing.
    case done
}

extension Container {
    /// Size of content that is not older than the window.
    func freshSize(_ key: UInt64, now: UInt64, window: UInt64) -> FileSize? {
        filesLock.withLock {
            guard let file = files[key], let snapshot = file.snapshot,
                clampedDifference(now, snapshot.time) < window
            else { return nil }
            return file.size(of: snapshot)
        }
    }

    /// What a READ is answered with as long as there is content that is not older than the
    /// window.
    func freshContent(_ key: UInt64, now: UInt64, window: UInt64) -> ReadContent? {
        filesLock.withLock {
            // What is being pushed comes onto whatever READ has brought meanwhile, so that must be
            // the same.
            guard let file = files[key], let snapshot = file.snapshot,
                file.storing || clampedDifference(now, snapshot.time) < window
            else { return nil }
            file.held.add(snapshot.count)
            let smaller = file.announced.flatMap { $0 < snapshot.count ? $0 : nil }
            return ReadContent(content: snapshot, announced: smaller)
        }
    }

    /// Makes `snapshot` the content of a file and decides how the kernel gets it.
    ///
    /// When several threads of containers ask for attributes at one time, or pages are dropped
    /// meanwhile, the kernel ignores some of the answers (`attr_version` in fs/fuse). If it does
    /// not hear of a smaller size, an answer to READ that is shorter corrects that. If it does
    /// not hear of a larger one, it cuts what it gets. So content that is longer is pushed,
    /// which makes the file longer.
    func install(_ snapshot: Snapshot, _ key: UInt64, _ slots: StoreSlots) -> CacheStep {
        // Asked for first: taking one may wait.
        let hasSlot = slots.take()
        let step: CacheStep = filesLock.withLock {
            let file = file(key)
            // What another thread is pushing is as good, and so is what it has rendered later
            // and finished earlier.
            if file.storing { return .done }
            if let former = file.snapshot, former.time > snapshot.time { return .done }
            if file.isHeld(snapshot) {
                file.snapshot = snapshot
                file.pushedAt = snapshot.time
                return .done
            }
            file.snapshot = snapshot
            // A file that gets shorter loses its pages anyway when its size is told.
            if let announced = file.announced, announced > snapshot.count { return .done }
            guard hasSlot else {
                file.dropPages()
                return .done
            }
            file.storing = true
            let drops = file.held.longest > snapshot.count
            if drops { file.held.beginDropping(isChanging: false) }
            file.held.add(snapshot.count)
            return .store(droppingFirst: drops)
        }
        if hasSlot, case .done = step { slots.give() }
        return step
    }

    func stored(_ key: UInt64, _ snapshot: Snapshot, success: Bool) {
        filesLock.withLock {
            let file = file(key)
            file.storing = false
            file.announced = snapshot.count
            file.pushedAt = success ? snapshot.time : nil
            if !success { file.dropPages() }
        }
    }

    /// The size to tell the kernel after ``install(_:_:_:)``.
    func announce(_ key: UInt64, _ snapshot: Snapshot) -> FileSize {
        filesLock.withLock {
            let file = file(key)
            return file.size(of: file.snapshot ?? snapshot)
        }
    }

    /// The size to tell the kernel of content of an earlier worker.
    func announceFormer(_ key: UInt64, _ content: Snapshot) -> FileSize {
        filesLock.withLock { file(key).size(of: content) }
    }

    /// What the kernel was told last, if anything.
    func announcedSize(_ key: UInt64) -> FileSize? {
        filesLock.withLock {
            guard let file = files[key], let bytes = file.announced else { return nil }
            return FileSize(bytes: bytes, generation: file.generation)
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

    /// Makes `snapshot`, which READ had to render, the content of a file.
    ///
    /// - Returns: false if the kernel cannot show it: it has been told a smaller size, or
    ///   may ask for parts beyond the end before it learns where that is.
    func installForRead(_ snapshot: Snapshot, _ key: UInt64) -> Bool {
        filesLock.withLock {
            let file = file(key)
            let announced = file.announced ?? 0
            guard snapshot.count <= announced else { return false }
            guard snapshot.count == announced || announced <= Self.oneRead else { return false }
            if !file.storing { file.snapshot = snapshot }
            file.announced = snapshot.count
            file.held.add(snapshot.count)
            return true
        }
    }

    /// The kernel reads ahead at least so many bytes in one request.
    private static let oneRead = 16384

    /// Makes what an earlier worker has told the kernel of the content of a file.
    func adopt(_ snapshot: Snapshot, _ key: UInt64) {
        filesLock.withLock {
            let file = file(key)
            file.snapshot = snapshot
            file.announced = snapshot.count
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
            file.snapshot = nil
            file.held.beginDropping(isChanging: file.storing)
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
