import KernelText
import Syscalls

/// What the callers of one listener read at `/proc/meminfo`, remembered for a moment by mount
/// namespace.
///
/// Not for all listeners together: the number of a mount namespace is used again as soon as it
/// is gone, by the next container for instance.
struct SeenMeminfoCache {
    private var known: [NamespaceID: (seen: SeenMeminfo, time: UInt64)] = [:]

    /// Nanoseconds until mounts are looked at again.
    private static let lifetime: UInt64 = 100_000_000
    private static let countLimit = 64

    func seen(in namespace: NamespaceID, now: UInt64) -> SeenMeminfo? {
        guard let found = known[namespace], clampedDifference(now, found.time) < Self.lifetime
        else { return nil }
        return found.seen
    }

    mutating func add(_ seen: SeenMeminfo, in namespace: NamespaceID, now: UInt64) {
        if known.count >= Self.countLimit { known.removeAll() }
        known[namespace] = (seen, now)
    }
}
