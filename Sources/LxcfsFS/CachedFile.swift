import Cgroups
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
    /// Shown in the modification time: a new value makes the kernel drop its pages.
    var generation = CachedFile.firstGeneration
    /// What may be in the page cache. Of what an earlier worker has left, nothing is known.
    var held = HeldContent(atFirst: CachedFile.firstGeneration == 0 ? 0 : .max)
    /// What the kernel may have understood.
    var told = ToldContent()

    /// Differs between workers: the first thing that a new one tells of a file makes the
    /// kernel drop the pages that it has from an earlier one. Set once, before the first
    /// request.
    nonisolated(unsafe) static var firstGeneration = 0

    func dropPages() { generation = (generation + 1) % 1_000_000_000 }

    /// `content`, or what must be shown instead because the kernel might cut that.
    func shown(_ content: Snapshot, now: UInt64) -> Snapshot {
        guard let shortest = told.shortest(now: now), shortest.count < content.count else {
            return content
        }
        return shortest
    }
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

/// The shortest contents that the kernel has been told of in the last moments.
///
/// When several threads of containers ask for attributes at one time, the kernel ignores some
/// of the answers (`attr_version` in fs/fuse), so the size that it has may be any of them. An
/// answer to READ that is shorter corrects that, a longer one would be cut.
struct ToldContent {
    private var first: (snapshot: Snapshot, time: UInt64)?
    /// The shortest one since then.
    private var second: (snapshot: Snapshot, time: UInt64)?

    mutating func add(_ snapshot: Snapshot, now: UInt64) {
        if let known = first, !Self.isOver(known.time, now) {
            if snapshot.count <= known.snapshot.count {
                first = (snapshot, now)
                second = nil
            } else if snapshot.count <= second?.snapshot.count ?? .max {
                second = (snapshot, now)
            }
        } else if let next = second, !Self.isOver(next.time, now),
            next.snapshot.count < snapshot.count
        {
            first = next
            second = (snapshot, now)
        } else {
            first = (snapshot, now)
            second = nil
        }
    }

    /// The content that is shown whatever the kernel takes for the size; nil if that is
    /// known.
    func shortest(now: UInt64) -> Snapshot? {
        if let first, !Self.isOver(first.time, now) { return first.snapshot }
        if let second, !Self.isOver(second.time, now) { return second.snapshot }
        return nil
    }

    private static func isOver(_ time: UInt64, _ now: UInt64) -> Bool {
        clampedDifference(now, time) > Announcements.moment
    }
}

/// How many threads may push into the page cache at one time. Pushing can wait for a READ to
/// be answered, so there must always be threads left that answer.
final class StoreSlots: Sendable {
    private let free: Atomic<Int>

    init(_ count: Int) { free = Atomic(count) }

    func take() -> Bool {
        if free.subtract(1, ordering: .acquiring).newValue >= 0 { return true }
        free.add(1, ordering: .releasing)
        return false
    }

    func give() { free.add(1, ordering: .releasing) }
}

/// What the kernel is told about a file.
struct FileSize: Equatable {
    let bytes: Int
    let generation: Int
}

/// What is left to do after new content has been rendered.
enum CacheStep {
    /// Push it, and report with ``Container/stored(_:success:)``.
    case store
    /// Nothing: the page cache will be filled by READ.
    case done
}

extension Container {
    /// Size of content that is not older than the window.
    func freshSize(_ key: UInt64, now: UInt64, window: UInt64) -> FileSize? {
        filesLock.withLock {
            guard let file = files[key], let snapshot = file.snapshot, !file.storing,
                clampedDifference(now, snapshot.time) < window
            else { return nil }
            file.announced = snapshot.count
            file.told.add(snapshot, now: now)
            return FileSize(bytes: snapshot.count, generation: file.generation)
        }
    }

    /// What a READ is answered with as long as there is content that is not older than the
    /// window.
    func freshContent(_ key: UInt64, now: UInt64, window: UInt64) -> Snapshot? {
        filesLock.withLock {
            guard let file = files[key], let snapshot = file.snapshot,
                clampedDifference(now, snapshot.time) < window
            else { return nil }
            let shown = file.shown(snapshot, now: now)
            file.held.add(shown.count)
            return shown
        }
    }

    /// Makes `snapshot` the content of a file and decides how the kernel gets it.
    func install(_ snapshot: Snapshot, _ key: UInt64, _ slots: StoreSlots) -> CacheStep {
        filesLock.withLock {
            let file = file(key)
            // Another thread has rendered later and finished earlier.
            if let former = file.snapshot, former.time > snapshot.time { return .done }
            file.snapshot = snapshot
            // A file that gets shorter loses its pages anyway when its size is told.
            if let announced = file.announced, announced > snapshot.count, !file.storing {
                return .done
            }
            if !file.storing, file.held.longest <= snapshot.count, slots.take() {
                file.storing = true
                file.held.add(snapshot.count)
                return .store
            }
            file.dropPages()
            return .done
        }
    }

    func stored(_ key: UInt64, success: Bool) {
        filesLock.withLock {
            let file = file(key)
            file.storing = false
            if !success { file.dropPages() }
        }
    }

    /// The size to tell the kernel after `snapshot` has been installed.
    func announce(_ key: UInt64, _ snapshot: Snapshot, now: UInt64) -> FileSize {
        filesLock.withLock {
            let file = file(key)
            let latest = file.snapshot ?? snapshot
            file.announced = latest.count
            file.told.add(latest, now: now)
            return FileSize(bytes: latest.count, generation: file.generation)
        }
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
    /// - Returns: what to answer; nil if the kernel cannot show it: it has been told a smaller
    ///   size, or may ask for parts beyond the end before it learns where that is.
    func installForRead(_ snapshot: Snapshot, _ key: UInt64, now: UInt64) -> Snapshot? {
        filesLock.withLock {
            let file = file(key)
            let announced = file.announced ?? 0
            guard snapshot.count <= announced else { return nil }
            guard snapshot.count == announced || announced <= Self.oneRead else { return nil }
            let shown = file.shown(snapshot, now: now)
            file.snapshot = snapshot
            file.announced = shown.count
            file.held.add(shown.count)
            return shown
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
            file.told.add(snapshot, now: snapshot.time)
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
