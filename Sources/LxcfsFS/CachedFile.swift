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
    /// The kernel has been told of it by this worker; what an earlier one has told last, and
    /// whether that has arrived, is not known for certain.
    var isTold = CachedFile.firstGeneration == 0

    /// Differs between workers: the first thing that a new one tells of a file makes the
    /// kernel drop the pages that it has from an earlier one. Set once, before the first
    /// request.
    nonisolated(unsafe) static var firstGeneration = 0

    func dropPages() { generation = (generation + 1) % 1_000_000_000 }
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
            file.isTold = true
            return FileSize(bytes: snapshot.count, generation: file.generation)
        }
    }

    /// Content that is not older than the window.
    func freshContent(_ key: UInt64, now: UInt64, window: UInt64) -> Snapshot? {
        filesLock.withLock {
            guard let snapshot = files[key]?.snapshot,
                clampedDifference(now, snapshot.time) < window
            else { return nil }
            return snapshot
        }
    }

    /// Makes `snapshot` the content of a file and decides how the kernel gets it.
    func install(_ snapshot: Snapshot, _ key: UInt64, _ slots: StoreSlots) -> CacheStep {
        filesLock.withLock {
            let file = file(key)
            // Another thread has rendered later and finished earlier.
            if let former = file.snapshot, former.time > snapshot.time { return .done }
            file.snapshot = snapshot
            // Pushing something shorter onto the page of an earlier worker would leave the end
            // of that. The page goes by itself, since the generation is another.
            if !file.isTold { return .done }
            // A file that gets shorter loses its pages anyway when its size is told.
            if let announced = file.announced, announced > snapshot.count, !file.storing {
                return .done
            }
            if !file.storing, slots.take() {
                file.storing = true
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
    func announce(_ key: UInt64, _ snapshot: Snapshot) -> FileSize {
        filesLock.withLock {
            let file = file(key)
            let bytes = file.snapshot?.count ?? snapshot.count
            file.announced = bytes
            file.isTold = true
            return FileSize(bytes: bytes, generation: file.generation)
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
    /// - Returns: false if the kernel cannot show it: it has been told a smaller size, or
    ///   may ask for parts beyond the end before it learns where that is.
    func installForRead(_ snapshot: Snapshot, _ key: UInt64) -> Bool {
        filesLock.withLock {
            let file = file(key)
            let announced = file.announced ?? 0
            guard snapshot.count <= announced else { return false }
            guard snapshot.count == announced || announced <= Self.oneRead else { return false }
            file.snapshot = snapshot
            file.announced = snapshot.count
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

    /// Ends the life of the content of `time`.
    ///
    /// - Returns: false if there is newer content.
    func expire(_ key: UInt64, time: UInt64) -> Bool {
        filesLock.withLock {
            guard let file = files[key], let snapshot = file.snapshot, snapshot.time == time
            else { return false }
            file.snapshot = nil
            return true
        }
    }

    private func file(_ key: UInt64) -> CachedFile {
        if let known = files[key] { return known }
        let made = CachedFile()
        files[key] = made
        return made
    }
}
