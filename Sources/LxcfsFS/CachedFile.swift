import Cgroups
import Synchronization
import Syscalls

/// A file of a container tree and what the kernel has of it in its page cache.
///
/// Guarded by ``Container/filesLock``.
final class CachedFile {
    /// What was rendered last; READ is answered from it.
    var snapshot: Snapshot?
    /// A thread is pushing a snapshot into the page cache. That waits for readers of the
    /// page, so another thread must not wait for it in turn.
    var storing = false
    /// Shown in the modification time: a new value makes the kernel drop its pages.
    var generation: Int = 0
    /// The page cache holds nothing but `snapshot`, or nothing.
    var inStep = false
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

/// What is left to do after new content has been rendered.
enum CacheStep {
    /// Push it, and report with ``Container/stored(_:success:)``.
    case store
    /// Nothing: the page cache is right, or will be filled by READ.
    case done
}

extension Container {
    /// Size and generation of content that is not older than the window.
    func freshContent(_ key: UInt64, now: UInt64, window: UInt64) -> (Int, Int)? {
        filesLock.withLock {
            guard let file = files[key], let snapshot = file.snapshot, !file.storing,
                clampedDifference(now, snapshot.time) < window
            else { return nil }
            return (snapshot.count, file.generation)
        }
    }

    /// Makes `snapshot` the content of a file and decides how the kernel gets it.
    func install(_ snapshot: Snapshot, _ key: UInt64, _ slots: StoreSlots) -> CacheStep {
        filesLock.withLock {
            let file = file(key)
            let former = file.snapshot
            // Another thread has rendered later and finished earlier.
            if let former, former.time > snapshot.time { return .done }
            file.snapshot = snapshot
            if let former, file.inStep, former.bytes.equals(snapshot.bytes) { return .done }
            file.inStep = true
            // A file that gets shorter loses its pages anyway when its size is told.
            if let former, former.count > snapshot.count, !file.storing { return .done }
            if !file.storing, slots.take() {
                file.storing = true
                return .store
            }
            file.generation = (file.generation + 1) % 1_000_000_000
            return .done
        }
    }

    func stored(_ key: UInt64, success: Bool) {
        filesLock.withLock {
            let file = file(key)
            file.storing = false
            if !success { file.generation = (file.generation + 1) % 1_000_000_000 }
        }
    }

    func generation(_ key: UInt64) -> Int {
        filesLock.withLock { files[key]?.generation ?? 0 }
    }

    /// Size and generation of the last content, however old.
    func lastContent(_ key: UInt64) -> (Int, Int)? {
        filesLock.withLock {
            guard let file = files[key], let snapshot = file.snapshot else { return nil }
            return (snapshot.count, file.generation)
        }
    }

    func content(_ key: UInt64) -> Snapshot? {
        filesLock.withLock { files[key]?.snapshot }
    }

    /// Keeps content that READ had to make, unless there is some meanwhile.
    func keep(_ snapshot: Snapshot, _ key: UInt64) {
        filesLock.withLock {
            let file = file(key)
            if file.snapshot == nil { file.snapshot = snapshot }
        }
    }

    private func file(_ key: UInt64) -> CachedFile {
        if let known = files[key] { return known }
        let made = CachedFile()
        files[key] = made
        return made
    }
}
