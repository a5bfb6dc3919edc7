import Cgroups
import Glibc
import KernelText
import LxcfsHandover
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
    /// Since when longer content waits for that of other files, see ``PushPermits/beginGrowing()``.
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
