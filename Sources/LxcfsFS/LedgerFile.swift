import Cgroups
import Glibc
import Logging
import ProcView
import Syscalls

/// Where the CPU time that a container has been shown outlives the daemon: one small file in
/// `<runtime directory>/ledgers`, named by the container's slot.
///
/// The file has two places and each record goes to the one that is older, with a check sum:
/// a daemon that is killed while it writes leaves the record before. Used under the
/// container's lock.
final class LedgerFile {
    private let path: String
    private let file: FileDescriptor
    /// Tells the container from another one that had the slot before.
    private let startTime: UInt64
    private let log: Logger
    private var generation: UInt64 = 0
    private var words: [UInt64] = []
    private var record: [UInt64] = []
    /// The bytes of one place.
    private var place = pageSize
    private var sized = false
    private var failed = false

    /// Words before the ledger: check sum, words from here to the end, start time,
    /// generation.
    private static let header = 4
    private static let pageSize = 4096

    /// Opens the file, or makes it.
    init(_ path: String, startTime: UInt64, log: Logger) throws(SystemError) {
        self.path = path
        self.startTime = startTime
        self.log = log
        // Large enough from the start, if CPUs are not added to the machine.
        let cpus = max(sysconf(CInt(_SC_NPROCESSORS_CONF)), 1)
        while place < (16 + 4 * cpus) * 8 { place += Self.pageSize }
        file = try FileDescriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
    }

    /// The ledger of the last daemon; nil if there is none of this container.
    func read() throws(SystemError) -> CPULedger? {
        let bytes = try readFile(path, limit: 1 << 24)
        guard !bytes.isEmpty, bytes.count % (2 * Self.pageSize) == 0 else { return nil }
        let place = bytes.count / 2
        var newest: CPULedger?
        for start in [0, place] {
            let words = bytes[start..<start + place].withUnsafeBytes { raw in
                (0..<place / 8).map {
                    raw.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)
                }
            }
            guard let count = Int(exactly: words[1]), count >= 2, count <= words.count - 2,
                words[0] == Self.checkSum(words[1..<count + 2]), words[2] == startTime,
                words[3] > generation, words[3] < .max,
                let ledger = CPULedger(decoding: words[Self.header..<count + 2])
            else { continue }
            generation = words[3]
            newest = ledger
        }
        return newest
    }

    /// Keeps `ledger`, before anybody is shown it. What goes wrong is logged once; the
    /// container is served all the same.
    func write(_ ledger: CPULedger) {
        if failed { return }
        ledger.encode(into: &words)
        generation += 1
        record.removeAll(keepingCapacity: true)
        record.append(0)
        record.append(UInt64(words.count + Self.header - 2))
        record.append(startTime)
        record.append(generation)
        record.append(contentsOf: words)
        record[0] = Self.checkSum(record[1...])
        do {
            try write()
        } catch {
            failed = true
            log.warning("CPU time is not kept for the next daemon: \(error)")
        }
    }

    private func write() throws(SystemError) {
        while place < record.count * 8 {
            place += Self.pageSize
            sized = false
        }
        // With places of another size the file starts anew.
        if !sized {
            let size = try file.status(path: path).st_size
            if size != 2 * place,
                ftruncate(file.raw, 0) != 0 || ftruncate(file.raw, off_t(2 * place)) != 0
            {
                throw SystemError("resize", path, errno: errno)
            }
            sized = true
        }
        let offset = generation % 2 == 0 ? 0 : place
        let result = record.withUnsafeBytes {
            pwrite(file.raw, $0.baseAddress, $0.count, off_t(offset))
        }
        if result != record.count * 8 {
            throw SystemError("write", path, errno: result < 0 ? errno : ENOSPC)
        }
    }

    /// FNV-1a over words.
    private static func checkSum(_ words: ArraySlice<UInt64>) -> UInt64 {
        var sum: UInt64 = 0xcbf2_9ce4_8422_2325
        for word in words { sum = (sum ^ word) &* 0x100_0000_01b3 }
        return sum
    }
}
