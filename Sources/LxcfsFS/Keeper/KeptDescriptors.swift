import Control
import LxcfsHandover
import Syscalls

/// The descriptors that workers have had kept, by name, so that the next worker has them.
struct KeptDescriptors {
    private struct Entry {
        let file: HeldDescriptor
        let payload: String
        let number: Int

        var storeName: String { "kept-\(number)" }

        func size(_ name: String) -> Int { name.utf8.count + payload.utf8.count }
    }

    private var entries: [String: Entry] = [:]
    private var nextNumber = 1

    /// What a record may have: nobody counts so far, and one can still count on from there.
    private static let numbers = 1...1 << 62

    /// More than these are refused: whoever keeps so many has a leak.
    static let defaultLimit = 16384
    private let limit: Int

    /// Bytes of all names and payloads; more are refused.
    static let defaultRoom = 16 << 20
    private let room: Int
    private var taken = 0

    init(limit: Int = defaultLimit, room: Int = defaultRoom) {
        self.limit = limit
        self.room = room
    }

    private var byName: [(key: String, value: Entry)] { entries.sorted { $0.key < $1.key } }

    /// Each under the name that it has with the service manager and the next keeper.
    var items: [StoredItem] {
        byName.map { StoredItem(name: $0.value.storeName, number: $0.value.file.number) }
    }

    /// What a worker is told of them, in the order of ``items``.
    ///
    /// - Parameter pass: says under which number the worker inherits a descriptor.
    func entered(_ pass: (HeldDescriptor) -> CInt) -> [WorkerSetup.Kept] {
        byName.map {
            WorkerSetup.Kept(
                name: $0.key, payload: $0.value.payload, descriptor: pass($0.value.file))
        }
    }

    /// What has become different for the service manager.
    struct Change {
        /// The name of what is not kept any more.
        var dropped: String?
        /// What is kept now; nil if it is not, because too many are.
        var stored: StoredItem?
    }

    /// Keeps a descriptor, in the place of one of the same name.
    mutating func keep(_ named: consuming NamedDescriptor) -> Change {
        let (name, payload) = (named.name, named.payload)
        var change = forget(name)
        guard entries.count < limit, taken + name.utf8.count + payload.utf8.count <= room else {
            return change
        }
        let entry = Entry(
            file: HeldDescriptor(named.takeDescriptor()), payload: payload,
            number: nextNumber)
        nextNumber += 1
        enter(entry, name)
        change.stored = StoredItem(name: entry.storeName, number: entry.file.number)
        return change
    }

    mutating func forget(_ name: String) -> Change {
        guard let entry = entries.removeValue(forKey: name) else { return Change() }
        taken -= entry.size(name)
        return Change(dropped: entry.storeName)
    }

    private mutating func enter(_ entry: Entry, _ name: String) {
        if let former = entries.updateValue(entry, forKey: name) { taken -= former.size(name) }
        taken += entry.size(name)
    }

    // MARK: - Across keepers

    /// Writes down what belongs to them.
    func writeRecords(to path: String) throws(SystemError) {
        let records = entries.map {
            KeptRecord(name: $0.key, payload: $0.value.payload, number: $0.value.number)
        }
        try replaceFile(path, with: encodeLine(records))
    }

    /// Takes those that the service manager has handed back; none if it throws.
    ///
    /// - Parameter path: where ``writeRecords(to:)`` has written.
    /// - Returns: those that are not on record.
    /// - Throws: `SystemError`; `JSONFault`.
    mutating func restore(
        from path: String, _ stored: [String: HeldDescriptor]
    ) throws -> [String: HeldDescriptor] {
        if stored.isEmpty { return [:] }
        let records = try KeptRecord.list(try readFile(path, limit: 1 << 28))
        var left = stored
        for record in records where Self.numbers.contains(record.number) {
            // A record that is damaged must not give a descriptor to two names.
            guard let file = left.removeValue(forKey: "kept-\(record.number)") else { continue }
            enter(
                Entry(file: file, payload: record.payload, number: record.number), record.name)
            nextNumber = max(nextNumber, record.number + 1)
        }
        return left
    }
}

extension HeldDescriptor {
    /// Valid as long as this is held.
    var number: CInt { descriptor.raw }
}
