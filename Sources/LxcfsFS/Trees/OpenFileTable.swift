import CLinux
import LxcfsHandover
import LxcfsPageCache
import Syscalls

/// The files that are open as snapshots, with their contents, in memory that the keeper
/// holds: a reader goes on where it was when a new worker has taken over.
///
/// Written such that a worker may be killed between any two instructions: an entry is valid
/// from the moment that its state is stored.
final class OpenFileTable: @unchecked Sendable {
    private static let entryCount = 16384
    private static let entrySize = 64
    static let blockSize = 4096
    private static let blockCount = 16384
    static let size = entryCount * entrySize + blockCount * blockSize

    private let memory: UnsafeMutableRawPointer
    private let lock = Lock()
    /// Entries that are not in use; the last one is taken next.
    private var free: [UInt32] = []
    private var used = Array(repeating: false, count: blockCount)
    /// Has been written to since its memory was given back to the system.
    private var written = Array(repeating: false, count: blockCount)
    /// Blocks that are written and not in use.
    private var spare = 0
    /// All blocks before this one are in use.
    private var firstFree = 0
    private var nextSerial: UInt32 = 1
    /// OPENs that an earlier worker may not have answered, by their number.
    private var opening: [UInt64: UInt32] = [:]

    /// What an entry is made of, by offset.
    private enum Field {
        static let state = 0
        static let serial = 4
        static let node = 8
        static let opener = 16
        static let identity = 24
        static let place = 32
        static let begun = 40
        static let reader = 48
        /// What follows counts only if `serial` stands here, too: release 0.1.0 does not write it.
        static let payerSerial = 60
        static let payer = 56
        static let trigger = 44
    }

    /// - Parameter memory: of ``size`` bytes, zero at first.
    init(_ memory: UnsafeMutableRawPointer) { self.memory = memory }

    /// Takes up what an earlier worker has left, which must not be at work any more.
    ///
    /// - Parameter note: told of each file what it takes, and who pays for it.
    func restore(note: (Payer, OpenBudget.Holding) -> Void = { _, _ in }) {
        lock.lock()
        defer { lock.unlock() }
        for index in (0..<UInt32(Self.entryCount)).reversed() {
            let entry = self.entry(index)
            // Also of a file that is closed: a READ that a former worker has answered may still
            // be left, and must not be taken for one of another file.
            nextSerial = max(nextSerial, clinux_load32(entry + Field.serial) &+ 1)
            guard clinux_load32(entry + Field.state) != 0, let place = place(of: entry) else {
                free.append(index)
                continue
            }
            for block in place.blocks { used[block] = true }
            opening[clinux_load64(entry + Field.opener)] = index
            note(payer(of: entry), holding(of: entry))
        }
        for block in used.indices where !used[block] {
            // What a former worker has written there is not known.
            written[block] = true
            spare += 1
        }
    }

    /// What the file of an entry takes.
    private func holding(of entry: UnsafeMutableRawPointer) -> OpenBudget.Holding {
        OpenBudget.Holding(
            files: 1, bytes: (place(of: entry)?.blocks.count ?? 0) * Self.blockSize,
            triggers: hasPayer(entry) && clinux_load32(entry + Field.trigger) != 0 ? 1 : 0)
    }

    private func payer(of entry: UnsafeMutableRawPointer) -> Payer {
        hasPayer(entry) ? Payer(number: clinux_load32(entry + Field.payer)) : .none
    }

    private func hasPayer(_ entry: UnsafeMutableRawPointer) -> Bool {
        clinux_load32(entry + Field.payerSerial) == clinux_load32(entry + Field.serial)
    }

    /// How many files are open.
    var count: Int { lock.withLock { Self.entryCount - free.count } }

    /// Where a content lies.
    private struct Place {
        let block: Int
        let size: Int
        var blocks: Range<Int> {
            let count = (size + OpenFileTable.blockSize - 1) / OpenFileTable.blockSize
            return block..<(block + max(count, 1))
        }
        var packed: UInt64 { UInt64(block) << 32 | UInt64(size) }
    }

    // MARK: - Opening and closing

    /// What is kept of an open file.
    struct Stored {
        let node: NodeID
        /// Whose numbers it shows, see ``Container/identity``.
        let identity: UInt64
        let snapshot: Snapshot
        /// It has been read.
        let begun: Bool
        var payer = Payer.none
        var holding = OpenBudget.Holding()
    }

    enum Added {
        /// Under this handle.
        case new(UInt64)
        /// An earlier worker had this OPEN too, and gave it this handle. Whether the kernel has
        /// got the answer is not known, so it gets the same one again.
        case known(UInt64)
        /// There is no room.
        case full
    }

    /// Whether an earlier worker had this OPEN, too.
    func expects(_ opener: UInt64) -> Bool { lock.withLock { opening[opener] != nil } }

    /// - Parameters:
    ///   - opener: the number of the OPEN and its connection, see ``Suspects``.
    ///   - payer: who pays for it.
    ///   - hasTrigger: it is a pressure file that is open for writing.
    func add(
        _ node: NodeID, identity: UInt64, _ snapshot: Snapshot, opener: UInt64,
        payer: Payer = .none, hasTrigger: Bool = false
    ) -> Added {
        lock.lock()
        defer { lock.unlock() }
        if let index = opening.removeValue(forKey: opener),
            clinux_load32(entry(index) + Field.state) != 0,
            clinux_load64(entry(index) + Field.opener) == opener,
            clinux_load64(entry(index) + Field.node) == node.raw
        {
            return .known(handle(index))
        }
        guard let index = free.last, let place = store(snapshot) else { return .full }
        free.removeLast()
        let entry = self.entry(index)
        clinux_store32(entry + Field.serial, nextSerial)
        nextSerial = nextSerial == .max ? 1 : nextSerial + 1
        clinux_store64(entry + Field.node, node.raw)
        clinux_store64(entry + Field.opener, opener)
        clinux_store64(entry + Field.identity, identity)
        clinux_store64(entry + Field.place, place.packed)
        clinux_store32(entry + Field.begun, 0)
        clinux_store32(entry + Field.trigger, hasTrigger ? 1 : 0)
        clinux_store32(entry + Field.payer, payer.number)
        clinux_store32(entry + Field.payerSerial, clinux_load32(entry + Field.serial))
        clinux_store32(entry + Field.state, 1)
        return .new(handle(index))
    }

    /// A handle that is not known any more has been removed already.
    ///
    /// - Returns: who has paid for it, and what.
    @discardableResult
    func remove(_ handle: UInt64) -> (Payer, OpenBudget.Holding)? {
        lock.lock()
        defer { lock.unlock() }
        guard let index = index(of: handle) else { return nil }
        let entry = self.entry(index)
        let account = (payer(of: entry), holding(of: entry))
        let place = place(of: entry)
        clinux_store32(entry + Field.state, 0)
        if let place { giveBack(place) }
        free.append(index)
        return account
    }

    // MARK: - Reading

    /// What a worker has left of an open file, this one or an earlier one; nil if nothing.
    func stored(_ handle: UInt64) -> Stored? {
        lock.lock()
        defer { lock.unlock() }
        guard let index = index(of: handle) else { return nil }
        let entry = self.entry(index)
        guard let place = place(of: entry) else { return nil }
        let bytes = UnsafeBufferPointer(
            start: address(place).assumingMemoryBound(to: UInt8.self), count: place.size)
        return Stored(
            node: NodeID(raw: clinux_load64(entry + Field.node)),
            identity: clinux_load64(entry + Field.identity),
            snapshot: Snapshot(bytes, time: 0),
            begun: clinux_load32(entry + Field.begun) != 0,
            payer: payer(of: entry), holding: holding(of: entry))
    }

    /// A file that an earlier worker has opened is written to as a pressure file.
    func noteTrigger(_ handle: UInt64, payer: Payer) {
        lock.withLock {
            guard let index = index(of: handle) else { return }
            let entry = self.entry(index)
            clinux_store32(entry + Field.trigger, 1)
            clinux_store32(entry + Field.payer, payer.number)
            clinux_store32(entry + Field.payerSerial, clinux_load32(entry + Field.serial))
        }
    }

    /// The files of a payer are nobody's from now on; those that are open for writing still have their
    /// triggers.
    ///
    /// - Returns: what they take.
    func disown(_ payer: Payer) -> OpenBudget.Holding {
        lock.withLock {
            var all = OpenBudget.Holding()
            for index in 0..<UInt32(Self.entryCount) {
                let entry = self.entry(index)
                guard clinux_load32(entry + Field.state) != 0, self.payer(of: entry) == payer
                else { continue }
                all += holding(of: entry)
                clinux_store32(entry + Field.payer, Payer.none.number)
            }
            return all
        }
    }

    /// It has been read, first by the READ `reader`, see ``replace(_:_:for:)``.
    func noteBegun(_ handle: UInt64, by reader: UInt64) {
        lock.withLock {
            guard let index = index(of: handle) else { return }
            clinux_store64(entry(index) + Field.reader, reader)
            clinux_store32(entry(index) + Field.begun, 1)
        }
    }

    /// Whether the content is that for the READ `reader`, which an earlier worker has had, too. It
    /// may have been answered: then the content that goes on behind it must be the same.
    func isFor(_ reader: UInt64, _ handle: UInt64) -> Bool {
        lock.withLock {
            guard let index = index(of: handle) else { return false }
            return clinux_load64(entry(index) + Field.reader) == reader
        }
    }

    /// The content of an open file is another one from now on.
    ///
    /// - Parameter reader: the number of the READ for which it was made, and its connection, see
    ///   ``Suspects``.
    func replace(_ handle: UInt64, _ snapshot: Snapshot, for reader: UInt64) {
        lock.lock()
        defer { lock.unlock() }
        guard let index = index(of: handle) else { return }
        let entry = self.entry(index)
        let former = place(of: entry)
        // Without room for it the next worker would show the former content.
        guard let place = store(snapshot) else { return }
        clinux_store64(entry + Field.place, place.packed)
        // Until here it has not been answered.
        clinux_store64(entry + Field.reader, reader)
        if let former { giveBack(former) }
    }

    // MARK: - Memory

    private func entry(_ index: UInt32) -> UnsafeMutableRawPointer {
        memory + Int(index) * Self.entrySize
    }

    private func handle(_ index: UInt32) -> UInt64 {
        UInt64(clinux_load32(entry(index) + Field.serial) & 0x7fff_ffff) << 32 | UInt64(index)
    }

    private func index(of handle: UInt64) -> UInt32? {
        let index = UInt32(truncatingIfNeeded: handle)
        guard index < UInt32(Self.entryCount), clinux_load32(entry(index) + Field.state) != 0,
            self.handle(index) == handle
        else { return nil }
        return index
    }

    private func place(of entry: UnsafeMutableRawPointer) -> Place? {
        let packed = clinux_load64(entry + Field.place)
        let place = Place(
            block: Int(packed >> 32), size: Int(UInt32(truncatingIfNeeded: packed)))
        return place.blocks.upperBound <= Self.blockCount ? place : nil
    }

    private func address(_ place: Place) -> UnsafeMutableRawPointer {
        memory + Self.entryCount * Self.entrySize + place.block * Self.blockSize
    }

    /// Puts a content into the first blocks that are free; nil if there are none.
    private func store(_ snapshot: Snapshot) -> Place? {
        let needed = Place(block: 0, size: snapshot.count).blocks.count
        var start = firstFree
        var block = firstFree
        while block < Self.blockCount, block - start < needed {
            if used[block] { start = block + 1 }
            block += 1
        }
        guard block - start == needed else { return nil }
        for block in start..<(start + needed) {
            used[block] = true
            if written[block] { spare -= 1 }
            written[block] = true
        }
        if start == firstFree { firstFree += needed }
        let place = Place(block: start, size: snapshot.count)
        if let bytes = snapshot.bytes.baseAddress {
            address(place).copyMemory(from: bytes, byteCount: snapshot.count)
        }
        return place
    }

    private func giveBack(_ place: Place) {
        for block in place.blocks {
            used[block] = false
            if written[block] { spare += 1 }
        }
        firstFree = min(firstFree, place.block)
    }

    /// Bytes that nobody uses and the system does not have back.
    var spareBytes: Int { lock.withLock { spare * Self.blockSize } }

    /// Gives memory that is not in use any more back to the system, a piece at a time: opening
    /// waits meanwhile.
    ///
    /// - Returns: false if there was nothing.
    /// - Throws: what madvise(2) says; then the memory stays until it is used again.
    func giveBackSome() throws(SystemError) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        guard spare > 0,
            let first = used.indices.first(where: { !used[$0] && written[$0] })
        else { return false }
        var end = first
        while end < Self.blockCount, end - first < Self.pieceSize, !used[end], written[end] {
            written[end] = false
            spare -= 1
            end += 1
        }
        try SharedMemory.giveBack(
            address(Place(block: first, size: 0)), count: (end - first) * Self.blockSize)
        return true
    }

    /// Blocks.
    private static let pieceSize = 256
}
