import KernelText
import LxcfsHandover
import LxcfsPageCache
import Syscalls

/// Makes the contents of files that are opened, and remembers the last ones: who has them made more
/// often than ``limit`` says gets one that is up to 0.1 s old, which costs nobody anything.
///
/// An open otherwise shows the moment at which it happens. Making that takes the daemon's time,
/// which is not charged to the container that asks.
final class RecentContents: Sendable {
    private struct Entry {
        /// ``Container/identity``.
        let container: UInt64
        let node: NodeID
        let content: Snapshot
    }

    private struct State {
        var entries: [Entry?] = Array(repeating: nil, count: RecentContents.count)
        /// Of what is in `entries`.
        var bytes = 0
        var paces: [Payer: Pace] = [:]
    }
    private let state = Guarded(State())

    /// A payer has so many contents made at once, and per second.
    static let limit = Pace.Limit(burst: 256, perSecond: 1000)
    /// Nanoseconds; for who has more made.
    static let age: UInt64 = 100_000_000
    private static let count = 1024
    /// Bytes. A machine with many CPUs has a long cpuinfo.
    private static let bytesLimit = 16 << 20

    /// The content of a file for who opens it now.
    ///
    /// - Parameters:
    ///   - container: its ``Container/identity``.
    ///   - now: on the monotonic clock.
    ///   - make: makes it anew.
    func content(
        of node: NodeID, _ container: UInt64, for payer: Payer, now: UInt64,
        make: () throws(SystemError) -> Snapshot
    ) throws(SystemError) -> Snapshot {
        let known = state.withLock { state -> Snapshot? in
            let isInTime = state.paces[payer, default: Pace(Self.limit, now: now)].take(
                now: now)
            guard !isInTime, let entry = state.entries[Self.index(node, container)],
                entry.container == container, entry.node == node,
                clampedDifference(now, entry.content.time) <= Self.age
            else { return nil }
            return entry.content
        }
        if let known { return known }
        let made = try make()
        let replaced = state.withLock { state -> Entry? in
            let index = Self.index(node, container)
            let former = state.entries[index]
            let bytes = state.bytes - (former?.content.count ?? 0) + made.count
            guard bytes <= Self.bytesLimit else { return nil }
            state.bytes = bytes
            state.entries[index] = Entry(container: container, node: node, content: made)
            return former
        }
        // Is thrown away when the lock is free.
        _ = consume replaced
        return made
    }

    /// Forgets what is too old to be shown.
    ///
    /// - Returns: whether anything is left.
    func expire(now: UInt64) -> Bool {
        state.withLock { state in
            for index in state.entries.indices {
                guard let entry = state.entries[index],
                    clampedDifference(now, entry.content.time) > Self.age
                else { continue }
                state.bytes -= entry.content.count
                state.entries[index] = nil
            }
            state.paces = state.paces.filter { _, pace in
                var pace = pace
                return !pace.isFull(now: now)
            }
            return state.bytes > 0 || !state.paces.isEmpty
        }
    }

    private static func index(_ node: NodeID, _ container: UInt64) -> Int {
        let mixed = (node.raw ^ container) &* 0x9e37_79b9_7f4a_7c15
        return Int(mixed >> 54)
    }
}
