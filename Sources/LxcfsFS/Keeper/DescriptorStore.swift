import Glibc
import LxcfsHandover
import Syscalls

/// Every descriptor that the keeper holds for its workers, by name: those that it has made
/// itself, and those that workers have had kept.
///
/// Nothing else knows which there are. What a worker inherits, what the service manager stores
/// and what goes to the next keeper are all made from this list.
struct DescriptorStore {
    /// In the order of ``HandoverDescriptor``.
    private let own: [HeldDescriptor]
    /// What workers have had kept.
    var kept: KeptDescriptors

    /// - Parameters:
    ///   - kept: what workers of an earlier keeper have had kept.
    ///   - make: called once for each descriptor.
    init<Failure: Error>(
        kept: KeptDescriptors = KeptDescriptors(),
        _ make: (HandoverDescriptor) throws(Failure) -> HeldDescriptor
    ) throws(Failure) {
        own = try HandoverDescriptor.allCases.map { (descriptor) throws(Failure) in
            try make(descriptor)
        }
        self.kept = kept
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
        kept = KeptDescriptors()
    }

    subscript(_ descriptor: HandoverDescriptor) -> HeldDescriptor { own[descriptor.rawValue] }

    /// What the keeper itself has made.
    var ownItems: [StoredItem] {
        HandoverDescriptor.allCases.map {
            StoredItem(name: "\($0.name)", number: self[$0].number)
        }
    }

    /// What outlives this process. The names of what the keeper itself has made come first.
    var items: [StoredItem] { ownItems + kept.items }

    /// Enters in `setup` under which numbers a worker inherits everything.
    ///
    /// - Parameter first: the lowest of these numbers.
    /// - Returns: the numbers in this process, in the same order.
    func enter(in setup: inout WorkerSetup, from first: CInt) -> [CInt] {
        var numbers: [CInt] = []
        func pass(_ file: HeldDescriptor) -> CInt {
            numbers.append(file.number)
            return first + CInt(numbers.count) - 1
        }
        for descriptor in HandoverDescriptor.allCases {
            setup[descriptor] = pass(self[descriptor])
        }
        setup.kept = kept.entered(pass)
        return numbers
    }

    /// Whether both FUSE connections still stand: nobody has unmounted or aborted them.
    var areConnectionsAlive: Bool {
        [self[.containers], self[.callers]].allSatisfy { device in
            var request = pollfd(fd: device.number, events: 0, revents: 0)
            return poll(&request, 1, 0) >= 0 && request.revents & Int16(POLLERR) == 0
        }
    }
}
