import CLinux
import Glibc
import KernelText
import LxcfsHandover

/// The contents that the kernel has been told of last, newest over oldest, in memory that the
/// next worker sees.
///
/// When a worker dies between telling the size of a file and answering a READ, the next one
/// must answer with that very content: a new one may be longer than what the kernel shows.
///
///     added, bytes reserved | index: node, time, position, length | contents
///
/// Contents lie one behind the other, over the end and again from the start; positions count on.
struct ToldRing: @unchecked Sendable {
    private static let count = 512
    private static let headerSize = 4096
    private static let indexSize = count * entrySize
    private static let entrySize = 32
    /// A few thousand small contents, or those of a hundred CPUs some dozens of times.
    private static let capacity = 1 << 20
    private static let longest = capacity / 16
    static let size = headerSize + indexSize + capacity

    /// What an entry of the index is made of, by offset. The node is stored last, and is 0 as long
    /// as the entry is not valid.
    private enum Field {
        static let node = 0
        static let time = 8
        static let position = 16
        static let count = 24
    }

    /// How many contents have been added ever.
    private let added: UnsafeMutableRawPointer
    private let reserved: UnsafeMutableRawPointer
    private let index: UnsafeMutableRawPointer
    private let contents: UnsafeMutableRawPointer

    init(_ memory: UnsafeMutableRawPointer) {
        added = memory
        reserved = memory + 8
        index = memory + Self.headerSize
        contents = index + Self.indexSize
    }

    struct Entry {
        let node: NodeID
        let snapshot: Snapshot
    }

    /// Content that is too long is not kept.
    func add(_ snapshot: Snapshot, _ node: NodeID) {
        guard snapshot.count <= Self.longest, let bytes = snapshot.bytes.baseAddress else {
            return
        }
        let place = self.place(clinux_add64(added, 1))
        clinux_store64(place + Field.node, 0)
        let position = reserve(snapshot.count)
        (contents + Int(position % UInt64(Self.capacity))).copyMemory(
            from: bytes, byteCount: snapshot.count)
        clinux_store64(place + Field.time, snapshot.time)
        clinux_store64(place + Field.position, position)
        clinux_store32(place + Field.count, UInt32(snapshot.count))
        clinux_store64(place + Field.node, node.raw)
    }

    /// Room for `count` bytes in one piece.
    private func reserve(_ count: Int) -> UInt64 {
        while true {
            let position = clinux_add64(reserved, UInt64(count))
            if Int(position % UInt64(Self.capacity)) + count <= Self.capacity {
                return position
            }
        }
    }

    /// - Parameter number: of all contents ever.
    private func place(_ number: UInt64) -> UnsafeMutableRawPointer {
        index + Int(number % UInt64(Self.count)) * Self.entrySize
    }

    /// From the oldest to the newest.
    var all: [Entry] {
        let next = clinux_load64(added)
        return (0..<UInt64(Self.count)).compactMap { entry(place(next &+ $0)) }
    }

    /// Of each file what is shown first by a worker that follows one that has died: the last
    /// content.
    ///
    /// - Parameter unfinished: files of which it is not known whether the kernel has that. A
    ///   content that is shorter than the kernel thinks is shown as it is, a longer one would
    ///   be cut; so of these it is the one before, if that is shorter.
    func lastTold(unfinished: Set<NodeID>) -> [Entry] {
        var last: [NodeID: Entry] = [:]
        var before: [NodeID: Entry] = [:]
        for entry in all {
            before[entry.node] = last[entry.node]
            last[entry.node] = entry
        }
        return last.values.map { entry in
            guard unfinished.contains(entry.node), let former = before[entry.node],
                former.snapshot.count < entry.snapshot.count
            else { return entry }
            return former
        }
    }

    /// The newest content of `node` that has `count` bytes and is not older than `maxAge`.
    func latest(_ node: NodeID, count: Int, now: UInt64, maxAge: UInt64) -> Snapshot? {
        var best: Snapshot?
        for number in 0..<UInt64(Self.count) {
            let place = self.place(number)
            guard clinux_load64(place + Field.node) == node.raw,
                Int(clinux_load32(place + Field.count)) == count,
                case let time = clinux_load64(place + Field.time),
                clampedDifference(now, time) <= maxAge, time >= best?.time ?? 0,
                let found = entry(place), found.node == node, found.snapshot.count == count
            else { continue }
            best = found.snapshot
        }
        return best
    }

    private func entry(_ place: UnsafeMutableRawPointer) -> Entry? {
        let node = clinux_load64(place + Field.node)
        let time = clinux_load64(place + Field.time)
        let position = clinux_load64(place + Field.position)
        let count = Int(clinux_load32(place + Field.count))
        let start = Int(position % UInt64(Self.capacity))
        guard node != 0, count <= Self.longest, start + count <= Self.capacity else {
            return nil
        }
        let bytes = UnsafeBufferPointer(
            start: (contents + start).assumingMemoryBound(to: UInt8.self), count: count)
        let snapshot = Snapshot(bytes, time: time)
        // Overwritten, perhaps meanwhile, by another thread.
        guard clinux_load64(place + Field.node) == node,
            clinux_load64(place + Field.time) == time,
            clinux_load64(reserved) &- position <= UInt64(Self.capacity)
        else { return nil }
        return Entry(node: NodeID(raw: node), snapshot: snapshot)
    }
}
