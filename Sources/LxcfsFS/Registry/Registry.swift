import Glibc
import LxcfsHandover
import Syscalls

/// The containers that have a tree.
final class Registry: Sendable {
    private struct State {
        var bySlot: [UInt32: Container] = [:]
        var slotByID: [String: UInt32] = [:]
        var nextSlot: UInt32 = 1
    }
    private let state = Guarded(State())
    private let noteNextSlot: @Sendable (UInt32) -> Void

    /// - Parameter note: told when the number of the next container changes.
    init(note: @escaping @Sendable (UInt32) -> Void = { _ in }) { noteNextSlot = note }

    /// No lower number is given to a container from now on.
    func raiseNextSlot(to slot: UInt32) {
        state.withLock { $0.nextSlot = max($0.nextSlot, slot) }
    }

    /// Names that a container cannot have because other things have them.
    static let reservedNames: Set<String> = ["", ".", "..", "proc", "sys", TreeNames.opens]

    /// Why `id` cannot be the name of a directory; nil if it can.
    static func objection(toID id: String) -> String? {
        if reservedNames.contains(id) { return "the container id \"\(id)\" is reserved" }
        if id.utf8.count > Int(NAME_MAX) {
            return "the container id is longer than \(NAME_MAX) bytes"
        }
        let allowed = id.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "_+-.:@".utf8.contains(byte)
        }
        return allowed ? nil : "the container id may only hold letters, digits and _+-.:@"
    }

    /// A number that no container of this connection has had.
    func takeSlot() throws(SystemError) -> UInt32 {
        try state.withLock { state throws(SystemError) in
            guard state.nextSlot < NodeID.highestSlot else {
                throw SystemError("number", "another container", errno: ENOSPC)
            }
            let slot = state.nextSlot
            state.nextSlot += 1
            noteNextSlot(state.nextSlot)
            return slot
        }
    }

    /// Adds a container under its id. One that had the id before stays reachable by the
    /// mounts that exist, until its cgroup is gone.
    ///
    /// - Returns: that container.
    func add(_ container: Container) -> Container? {
        state.withLock { state in
            state.nextSlot = max(state.nextSlot, container.slot + 1)
            let former = state.slotByID[container.id].flatMap { state.bySlot[$0] }
            state.bySlot[container.slot] = container
            state.slotByID[container.id] = container.slot
            return former
        }
    }

    func remove(slot: UInt32) -> Container? {
        state.withLock { state in
            guard let container = state.bySlot.removeValue(forKey: slot) else { return nil }
            if state.slotByID[container.id] == slot { state.slotByID[container.id] = nil }
            return container
        }
    }

    func container(slot: UInt32) -> Container? {
        state.withLock { $0.bySlot[slot] }
    }

    func container(id: String) -> Container? {
        state.withLock { state in state.slotByID[id].flatMap { state.bySlot[$0] } }
    }

    var ids: [String] { state.withLock { Array($0.slotByID.keys) }.sorted() }
    var all: [Container] { state.withLock { Array($0.bySlot.values) } }
    var count: Int { state.withLock { $0.bySlot.count } }
}
