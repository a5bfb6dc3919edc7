import Control
import Glibc
import LxcfsHandover
import Syscalls

/// Descriptors that workers have handed over, so that the next one has them.
struct KeptDescriptors {
    private final class Entry {
        let file: FileDescriptor
        let payload: String
        let number: Int

        init(_ file: consuming FileDescriptor, payload: String, number: Int) {
            self.file = file
            self.payload = payload
            self.number = number
        }
    }

    private var entries: [String: Entry] = [:]
    private var next = 1

    /// More than these are refused: whoever keeps so many has a leak.
    static let limit = 16384

    var count: Int { entries.count }

    /// Ordered by name, with the keeper's own numbers for the descriptors.
    var all: [WorkerSetup.Kept] {
        entries.sorted { $0.key < $1.key }.map {
            WorkerSetup.Kept(
                name: $0.key, payload: $0.value.payload, descriptor: $0.value.file.raw)
        }
    }

    /// - Returns: the name in the service manager's store; nil if there are too many.
    mutating func add(
        _ file: consuming FileDescriptor, name: String, payload: String
    ) -> String? {
        guard entries.count < Self.limit || entries[name] != nil else { return nil }
        entries[name] = Entry(file, payload: payload, number: next)
        next += 1
        return storeName(name)
    }

    func storeName(_ name: String) -> String? {
        entries[name].map { "kept-\($0.number)" }
    }

    mutating func remove(_ name: String) { entries[name] = nil }

    // MARK: - Across keepers

    /// What is on record of them, for a keeper that gets the descriptors from the service
    /// manager: that knows only the number in their name.
    func write(to path: String) throws(SystemError) {
        let records = entries.map {
            KeptRecord(name: $0.key, payload: $0.value.payload, number: $0.value.number)
        }
        try replaceFile(path, with: encodeLine(records))
    }

    /// Takes up the descriptors that the service manager has handed back; none if it throws.
    ///
    /// - Returns: those that are not on record.
    mutating func restore(
        from path: String, _ stored: [String: CInt]
    ) throws -> [String: CInt] {
        if stored.isEmpty { return [:] }
        let text = try readFile(path, limit: 1 << 28)
        let records = try KeptRecord.list(text)
        // A record that is damaged must not give a descriptor two owners.
        var left = stored
        for record in records where record.number > 0 && record.number < Int.max {
            guard let number = left.removeValue(forKey: "kept-\(record.number)") else {
                continue
            }
            entries[record.name] = Entry(
                FileDescriptor(owning: number), payload: record.payload,
                number: record.number)
            next = max(next, record.number + 1)
        }
        return left
    }
}
