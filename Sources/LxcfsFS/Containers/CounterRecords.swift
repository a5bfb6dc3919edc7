import CLinux
import Glibc
import KernelText
import Logging
import ProcView
import Syscalls

/// The counters of containers that do not only depend on what the kernel says now: CPU time
/// as it was booked, and load averages. They are in a file in the runtime directory, which
/// every worker maps: no counter may run backwards because a worker or the whole daemon has
/// ended.
final class CounterRecords: @unchecked Sendable {
    /// Half of them for registered containers, by slot, the others for callers.
    private static let count = 16384
    private static let headerCount = 8
    private static let longestRow = 65536

    /// A load average is of no use after so many nanoseconds without samples.
    private static let loadLifetime: UInt64 = 15_000_000_000

    private let path: String
    /// Bytes. Two rows for each record: one is whole while the other is written.
    private let rowSize: Int
    private let file: FileDescriptor
    private let memory: UnsafeMutableRawPointer
    private let log: Logger
    private let lock = Lock()
    private var isFull = false
    /// The identities of containers that write to records, by record. Two may have one: the first
    /// keeps it.
    private var claims: [Int: UInt64] = [:]

    /// The numbers at the start of a row. The first is that of all numbers, 0 as long as the
    /// row is not valid.
    private enum Field {
        static let count = 0
        static let identity = 1
        static let edition = 2
        static let highestPID = 3
        static let loadTime = 4
        static let load = 5
    }

    /// Bytes of a row that holds what is counted with so many CPUs: few, so that the records
    /// of several containers share a page.
    static func rowSize(cpus: Int) -> Int {
        let wanted = headerCount + CPULedger.rowCount(cpus: min(max(cpus, 1), 65536))
        var size = 256
        while size < wanted * MemoryLayout<UInt64>.stride, size < longestRow { size *= 2 }
        return size
    }

    /// Opens the file, or makes it. Without one (its directory has been removed, or cannot be written
    /// to) counters begin anew, and with each worker once more.
    ///
    /// - Parameter cpus: how many CPUs the machine may ever have.
    init(_ path: String, cpus: Int, log: Logger) throws(SystemError) {
        self.path = path
        self.log = log
        rowSize = Self.rowSize(cpus: cpus)
        let size = Self.count * 2 * rowSize
        do {
            file = try Self.open(path, size: size)
        } catch {
            log.error("counters of containers begin anew: \(error)")
            file = try SharedMemory.make("lxcfsd-counters", size: size)
        }
        memory = try SharedMemory.map(file, size: size)
    }

    deinit { munmap(memory, Self.count * 2 * rowSize) }

    private static func open(_ path: String, size: Int) throws(SystemError) -> FileDescriptor {
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW
        let found = try FileDescriptor.open(path, flags, mode: 0o600)
        let known = Int(try found.status(path: path).st_size)
        if known == size { return found }
        // Of a machine with other CPUs. Another worker may have it mapped: cut, it would be
        // SIGBUS there.
        if known != 0 { unlink(path) }
        let file = known == 0 ? found : try FileDescriptor.open(path, flags, mode: 0o600)
        // Only pages that are written to take room.
        if ftruncate(file.raw, off_t(size)) != 0 {
            throw SystemError("set the size of", path, errno: errno)
        }
        return file
    }

    private func record(_ owner: CounterOwner) -> Int {
        let group = Self.count / 2
        let index =
            owner.slot != 0
            ? Int(owner.slot) % group
            : group + Int(owner.identity % UInt64(group))
        return index * 2 * rowSize
    }

    private func offset(_ owner: CounterOwner, _ half: Int) -> Int {
        record(owner) + half * rowSize
    }

    private func row(_ owner: CounterOwner, _ half: Int) -> UnsafeMutablePointer<UInt64> {
        (memory + offset(owner, half)).assumingMemoryBound(to: UInt64.self)
    }

    private func claim(_ owner: CounterOwner) -> Bool {
        let record = record(owner)
        if let known = claims[record] { return known == owner.identity }
        claims[record] = owner.identity
        return true
    }

    /// A container is not counted any more by this worker. What it has stays in its record, until
    /// another one needs that.
    func release(_ owner: CounterOwner) {
        lock.withLock {
            let record = record(owner)
            if claims[record] == owner.identity { claims[record] = nil }
        }
    }

    /// Whether the row is the container's, with or without numbers. Asks the file and not the
    /// memory: to look at a page that has no room yet takes some, and on a full file system
    /// that is SIGBUS.
    private func isOwned(_ owner: CounterOwner, _ half: Int) -> Bool {
        var identity: UInt64 = 0
        let place = offset(owner, half) + Field.identity * MemoryLayout<UInt64>.stride
        let count = pread(file.raw, &identity, MemoryLayout<UInt64>.size, off_t(place))
        return count == MemoryLayout<UInt64>.size && identity == owner.identity
    }

    /// The higher, the newer; 0 of a row that is not valid.
    private func edition(of row: UnsafeMutablePointer<UInt64>) -> UInt64 {
        clinux_load64(row) == 0 ? 0 : row[Field.edition]
    }

    /// Sees to it that the rows can be written to: on a full file system that would be SIGBUS.
    private func reserve(_ owner: CounterOwner, _ counters: inout KeptCounters) -> Bool {
        let wanted =
            (Self.headerCount + counters.ledger.rowCount) * MemoryLayout<UInt64>.stride
        if wanted <= counters.reserved { return true }
        // With too many CPUs for a row the next worker books anew.
        guard wanted <= rowSize else { return false }
        for half in 0..<2 {
            do {
                try file.makeRoom(at: offset(owner, half), count: wanted, path: path)
            } catch {
                if !isFull {
                    log.warning("counters are not kept for the next worker: \(error)")
                }
                isFull = true
                return false
            }
            // Whose room it is must be known even if this row is never filled.
            let row = self.row(owner, half)
            if clinux_load64(row) == 0 { row[Field.identity] = owner.identity }
        }
        isFull = false
        counters.reserved = wanted
        return true
    }

    /// Gives back the room of a container that is gone.
    func remove(_ owner: CounterOwner, _ counters: inout KeptCounters) {
        lock.lock()
        defer { lock.unlock() }
        for half in 0..<2 where isOwned(owner, half) {
            let row = offset(owner, half)
            do {
                try file.giveBackRoom(at: row, count: rowSize, path: path)
                giveBackPage(of: row)
            } catch {
                // Without a hole the row stays, and the next container writes over it.
            }
        }
        counters.reserved = 0
    }

    /// Gives back the page of a row that is empty now, unless other rows lie in it.
    private func giveBackPage(of row: Int) {
        let page = sysconf(CInt(_SC_PAGESIZE))
        // Otherwise the hole was whole pages.
        guard rowSize < page else { return }
        let start = row / page * page
        let words = UnsafeRawBufferPointer(start: memory + start, count: page)
            .assumingMemoryBound(to: UInt64.self)
        if words.contains(where: { $0 != 0 }) { return }
        // If that fails, it is only written to again later.
        try? file.giveBackRoom(at: start, count: page, path: path)
    }

    /// Writes down the counters of a container, over the older one of its two rows.
    func save(_ owner: CounterOwner, _ counters: inout KeptCounters, now: UInt64) {
        lock.lock()
        defer { lock.unlock() }
        guard claim(owner), reserve(owner, &counters) else { return }
        let other = self.row(owner, 1)
        var row = self.row(owner, 0)
        var newest = edition(of: other)
        if edition(of: row) > newest {
            newest = edition(of: row)
            row = other
        }
        if newest == .max {
            // Nothing was ever counted as far. Such a row is damaged, and would hide new ones.
            for half in 0..<2 { clinux_store64(self.row(owner, half), 0) }
            newest = 0
        }
        clinux_store64(row, 0)
        row[Field.identity] = owner.identity
        row[Field.edition] = newest + 1
        row[Field.highestPID] = UInt64(max(counters.highestPID, 0))
        row[Field.loadTime] = counters.load == nil ? 0 : now
        if let load = counters.load {
            for index in 0..<3 { row[Field.load + index] = load.values[index] }
        }
        let rest = UnsafeMutableBufferPointer(
            start: row + Self.headerCount,
            count: rowSize / MemoryLayout<UInt64>.stride - Self.headerCount)
        guard let count = counters.ledger.write(to: rest) else { return }
        clinux_store64(row, UInt64(Self.headerCount + count))
    }

    /// Gives a container the counters that an earlier worker has left.
    func restore(_ owner: CounterOwner, _ counters: inout KeptCounters, now: UInt64) {
        lock.lock()
        defer { lock.unlock() }
        guard claim(owner) else { return }
        var best: UnsafeMutablePointer<UInt64>?
        for half in 0..<2 where isOwned(owner, half) {
            let row = self.row(owner, half)
            if edition(of: row) > best.map(edition) ?? 0 { best = row }
        }
        guard let row = best,
            case let count = Int(clamping: row[Field.count]), count >= Self.headerCount,
            count <= rowSize / MemoryLayout<UInt64>.stride,
            let ledger = CPULedger(
                row: UnsafeBufferPointer(
                    start: row + Self.headerCount, count: count - Self.headerCount))
        else { return }
        counters.ledger = ledger
        counters.highestPID = Int(clamping: row[Field.highestPID])
        if row[Field.loadTime] != 0,
            clampedDifference(now, row[Field.loadTime]) < Self.loadLifetime
        {
            counters.load = LoadAverage(
                values: (0..<3).map { min(row[Field.load + $0], 1 << 40) })
        }
    }
}
