import Control
import Glibc
import LxcfsHandover
import Syscalls

/// Every descriptor that the keeper holds for its workers, by name: those that it has made
/// itself, and those that workers have had kept.
///
/// Nothing else knows which there are. What a worker inherits, what the service manager stores
/// and what goes to the next keeper are all made from this list.
struct DescriptorStore {
    private struct Kept {
        let file: HeldDescriptor
        let payload: String
        let number: Int

        var storeName: String { "kept-\(number)" }
    }

    /// In the order of ``HandoverDescriptor``.
    private let own: [HeldDescriptor]
    private var kept: [String: Kept] = [:]
    private var nextNumber = 1

    /// What a record may have: nobody counts so far, and one can still count on from there.
    private static let numbers = 1...1 << 62

    /// More kept descriptors than these are refused: whoever keeps so many has a leak.
    static let keptLimit = 16384

    /// - Parameter make: called once for each descriptor.
    init<Failure: Error>(
        _ make: (HandoverDescriptor) throws(Failure) -> HeldDescriptor
    ) throws(Failure) {
        own = try HandoverDescriptor.allCases.map { (descriptor) throws(Failure) in
            try make(descriptor)
        }
    }

    subscript(_ descriptor: HandoverDescriptor) -> HeldDescriptor { own[descriptor.rawValue] }

    /// A descriptor under the name that it has with the service manager and the next keeper.
    struct Item {
        let name: String
        /// Valid as long as the store has the descriptor.
        let number: CInt
    }

    /// What outlives this process. The names of what the keeper itself has made come first.
    var items: [Item] {
        HandoverDescriptor.allCases.map { Item(name: "\($0.name)", number: self[$0].raw) }
            + keptByName.map { Item(name: $0.value.storeName, number: $0.value.file.raw) }
    }

    private var keptByName: [(key: String, value: Kept)] { kept.sorted { $0.key < $1.key } }

    /// Enters in `setup` under which numbers a worker inherits everything.
    ///
    /// - Parameter first: the lowest of these numbers.
    /// - Returns: the numbers in this process, in the same order.
    func enter(in setup: inout WorkerSetup, from first: CInt) -> [CInt] {
        var numbers: [CInt] = []
        func pass(_ file: HeldDescriptor) -> CInt {
            numbers.append(file.raw)
            return first + CInt(numbers.count) - 1
        }
        for descriptor in HandoverDescriptor.allCases {
            setup[descriptor] = pass(self[descriptor])
        }
        setup.kept = keptByName.map {
            WorkerSetup.Kept(
                name: $0.key, payload: $0.value.payload, descriptor: pass($0.value.file))
        }
        return numbers
    }

    // MARK: - What workers have had kept

    /// What has become different for the service manager.
    struct Change {
        /// The name of what is not kept any more.
        var dropped: String?
        /// What is kept now; nil if it is not, because too many are.
        var stored: Item?
    }

    /// Keeps a descriptor, in the place of one of the same name.
    mutating func keep(_ named: consuming NamedDescriptor) -> Change {
        let (name, payload) = (named.name, named.payload)
        var change = forget(name)
        guard kept.count < Self.keptLimit else { return change }
        let entry = Kept(
            file: HeldDescriptor(named.takeDescriptor()), payload: payload,
            number: nextNumber)
        nextNumber += 1
        kept[name] = entry
        change.stored = Item(name: entry.storeName, number: entry.file.raw)
        return change
    }

    mutating func forget(_ name: String) -> Change {
        Change(dropped: kept.removeValue(forKey: name)?.storeName)
    }

    // MARK: - Across keepers

    /// Writes down what belongs to the kept descriptors.
    func writeRecords(to path: String) throws(SystemError) {
        let records = kept.map {
            KeptRecord(name: $0.key, payload: $0.value.payload, number: $0.value.number)
        }
        try replaceFile(path, with: encodeLine(records))
    }

    /// Takes the keeper's own descriptors out of what a service manager has handed back.
    ///
    /// - Returns: nil if one is missing.
    init?(takingFrom stored: inout [String: HeldDescriptor]) {
        var found: [HeldDescriptor] = []
        for descriptor in HandoverDescriptor.allCases {
            guard let file = stored.removeValue(forKey: "\(descriptor.name)") else {
                return nil
            }
            found.append(file)
        }
        own = found
    }

    /// Takes kept descriptors that the service manager has handed back; none if it throws.
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
            kept[record.name] = Kept(
                file: file, payload: record.payload, number: record.number)
            nextNumber = max(nextNumber, record.number + 1)
        }
        return left
    }

    /// Whether both FUSE connections still stand: nobody has unmounted or aborted them.
    var areConnectionsAlive: Bool {
        [self[.containers], self[.callers]].allSatisfy { device in
            var request = pollfd(fd: device.raw, events: 0, revents: 0)
            return poll(&request, 1, 0) >= 0 && request.revents & Int16(POLLERR) == 0
        }
    }
}

extension HeldDescriptor {
    fileprivate var raw: CInt { descriptor.raw }
}
