import Glibc
import Logging
import LxcfsHandover
import Syscalls

/// What an earlier keeper has left with the service manager, or hands over itself.
struct Inheritance {
    /// Everything; nil if the connections are not whole or not good any more: then they have to
    /// be made anew.
    let store: DescriptorStore?
    /// What workers have had kept. It is still good when the connections are not: nobody else
    /// would answer what comes over a notify descriptor, and its callers would wait for ever.
    let kept: KeptDescriptors
    /// The memory of a daemon whose connections are not good any more: in it is which calls were
    /// being answered over these descriptors.
    let formerMemory: HandoverMemory?

    /// - Parameter records: where ``KeptDescriptors/writeRecords(to:)`` has written.
    static func take(
        _ records: String, _ service: ServiceNotifier, _ log: Logger
    ) -> Inheritance {
        take(ServiceManager.takeStoredDescriptors(), records, service, log)
    }

    /// - Parameter stored: by name, what has been handed back.
    static func take(
        _ stored: [String: HeldDescriptor], _ records: String, _ service: ServiceNotifier,
        _ log: Logger
    ) -> Inheritance {
        var stored = stored
        let own = HandoverDescriptor.allCases.map { "\($0.name)" }
        let isPartial = own.contains { stored[$0] != nil }
        var store = DescriptorStore(takingFrom: &stored)
        let kept = takeKept(stored.filter { !own.contains($0.key) }, records, service, log)
        store?.kept = kept
        if store == nil, isPartial {
            log.warning("what was stored of the last daemon is not whole")
            service.drop(own)
        }
        guard let store else { return Inheritance(store: nil, kept: kept, formerMemory: nil) }
        var memory: HandoverMemory?
        do {
            memory = try HandoverMemory(try store[.memory].descriptor.duplicate())
            guard store.areConnectionsAlive else {
                throw DaemonError("the stored connections have been unmounted or aborted")
            }
        } catch {
            log.error("starting anew: \(error)")
            service.drop(own)
            return Inheritance(store: nil, kept: kept, formerMemory: memory)
        }
        log.notice("taking over the connections of the last daemon")
        return Inheritance(store: store, kept: kept, formerMemory: nil)
    }

    private static func takeKept(
        _ stored: [String: HeldDescriptor], _ records: String, _ service: ServiceNotifier,
        _ log: Logger
    ) -> KeptDescriptors {
        var kept = KeptDescriptors()
        do {
            // Nobody would know what the rest is for.
            let left = try kept.restore(from: records, stored)
            service.drop(left.keys.sorted())
        } catch {
            service.drop(stored.keys.sorted())
            log.warning("descriptors of the last worker are lost: \(error)")
        }
        return kept
    }
}
