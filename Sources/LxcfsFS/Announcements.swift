import CLinux
import Cgroups
import Glibc
import Syscalls

/// The contents that the kernel has been told of last, newest over oldest.
///
/// When a worker dies between telling the size of a file and answering a READ, the next one
/// must answer with that very content: a new one may be longer than what the kernel shows.
struct Announcements {
    private static let count = 512
    private static let slotSize = 8192
    private static let headerSize = 24
    static let size = count * slotSize

    private let memory: UnsafeMutableRawPointer
    private let counter: UnsafeMutableRawPointer

    init(_ memory: UnsafeMutableRawPointer, counter: UnsafeMutableRawPointer) {
        self.memory = memory
        self.counter = counter
    }

    struct Entry {
        let node: NodeID
        let snapshot: Snapshot
    }

    /// Content that is too long is not kept.
    func add(_ snapshot: Snapshot, _ node: NodeID) {
        guard snapshot.count <= Self.slotSize - Self.headerSize,
            let bytes = snapshot.bytes.baseAddress
        else { return }
        let index = clinux_add64(counter, 1) % UInt64(Self.count)
        let slot = memory + Int(index) * Self.slotSize
        clinux_store64(slot, 0)
        clinux_store64(slot + 8, snapshot.time)
        clinux_store32(slot + 16, UInt32(snapshot.count))
        (slot + Self.headerSize).copyMemory(from: bytes, byteCount: snapshot.count)
        clinux_store64(slot, node.raw)
    }

    /// From the oldest to the newest.
    var all: [Entry] {
        let next = clinux_load64(counter)
        return (0..<UInt64(Self.count)).compactMap {
            entry(Int((next &+ $0) % UInt64(Self.count)))
        }
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

    /// How long a reader may take from hearing a size to reading, in nanoseconds.
    static let moment: UInt64 = 1_000_000_000

    /// The newest content of `node` that has `count` bytes and is not older than `maxAge`.
    func latest(_ node: NodeID, count: Int, now: UInt64, maxAge: UInt64) -> Snapshot? {
        var best: Snapshot?
        for index in 0..<Self.count {
            let slot = memory + index * Self.slotSize
            guard clinux_load64(slot) == node.raw, Int(clinux_load32(slot + 16)) == count,
                case let time = clinux_load64(slot + 8),
                clampedDifference(now, time) <= maxAge, time >= best?.time ?? 0,
                let found = entry(index), found.node == node, found.snapshot.count == count
            else { continue }
            best = found.snapshot
        }
        return best
    }

    private func entry(_ index: Int) -> Entry? {
        let slot = memory + index * Self.slotSize
        let node = clinux_load64(slot)
        let time = clinux_load64(slot + 8)
        let count = Int(clinux_load32(slot + 16))
        guard node != 0, count <= Self.slotSize - Self.headerSize else { return nil }
        let bytes = UnsafeBufferPointer(
            start: (slot + Self.headerSize).assumingMemoryBound(to: UInt8.self), count: count)
        let snapshot = Snapshot(bytes, time: time)
        // Overwritten meanwhile by another thread.
        guard clinux_load64(slot) == node, clinux_load64(slot + 8) == time else { return nil }
        return Entry(node: NodeID(raw: node), snapshot: snapshot)
    }
}
