import Glibc
import LxcfsHandover
import Syscalls

/// The containers that have a tree.
final class Registry: Sendable {
    private struct State {
        var bySlot: [UInt32: Entry] = [:]
        var slotByKey: [String: UInt32] = [:]
        var nextSlot: UInt32 = 1

        /// A key for `container` that no other one has.
        func freeKey(for container: Container) -> String {
            ContainerKey.make(for: container.id) { key in
                slotByKey[key].map { $0 != container.slot } ?? false
            }
        }

        mutating func enter(_ container: Container, as key: String) {
            if let former = bySlot[container.slot] { slotByKey[former.key] = nil }
            bySlot[container.slot] = Entry(container: container, key: key)
            slotByKey[key] = container.slot
            nextSlot = max(nextSlot, container.slot + 1)
        }
    }

    private struct Entry {
        let container: Container
        /// See ``ContainerKey``.
        let key: String
    }

    private let state = Guarded(State())
    private let noteNextSlot: @Sendable (UInt32) -> Void

    /// - Parameter note: told when the number of the next container changes.
    init(note: @escaping @Sendable (UInt32) -> Void = { _ in }) { noteNextSlot = note }

    /// No lower number is given to a container from now on.
    func raiseNextSlot(to slot: UInt32) {
        state.withLock { $0.nextSlot = max($0.nextSlot, slot) }
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

    /// Adds a container under the key that an earlier worker gave it, or under a free one.
    ///
    /// - Returns: the key.
    @discardableResult
    func add(_ container: Container, key: String? = nil) -> String {
        state.withLock { state in
            var name = state.freeKey(for: container)
            if let key, !ContainerKey.reserved.contains(key), state.slotByKey[key] == nil {
                name = key
            }
            state.enter(container, as: name)
            return name
        }
    }

    /// Adds a container under the key of another one, which gets a free one: it stays reachable by
    /// the mounts that exist, until its cgroup is gone.
    ///
    /// - Returns: the key, and the other one's from now on.
    func add(_ container: Container, replacing former: Container) -> (
        key: String, former: String
    ) {
        state.withLock { state in
            guard let key = state.bySlot[former.slot]?.key else {
                let key = state.freeKey(for: container)
                state.enter(container, as: key)
                return (key, key)
            }
            state.enter(container, as: key)
            state.bySlot[former.slot] = nil
            let other = state.freeKey(for: former)
            state.enter(former, as: other)
            return (key, other)
        }
    }

    /// - Returns: the container, and its key.
    func remove(slot: UInt32) -> (container: Container, key: String)? {
        state.withLock { state in
            guard let entry = state.bySlot.removeValue(forKey: slot) else { return nil }
            if state.slotByKey[entry.key] == slot { state.slotByKey[entry.key] = nil }
            return (entry.container, entry.key)
        }
    }

    func container(slot: UInt32) -> Container? {
        state.withLock { $0.bySlot[slot]?.container }
    }

    /// - Parameter key: the name of its directory.
    func container(key: String) -> Container? {
        state.withLock { state in state.slotByKey[key].flatMap { state.bySlot[$0]?.container } }
    }

    /// The name of a container's directory; its id if it has none.
    func key(of container: Container) -> String {
        state.withLock { $0.bySlot[container.slot]?.key } ?? container.id
    }

    /// All that have this id, the one that was registered first before the others.
    func containers(id: String) -> [Container] {
        all.filter { $0.id == id }.sorted { $0.slot < $1.slot }
    }

    /// The names of all directories.
    var keys: [String] { state.withLock { Array($0.slotByKey.keys) }.sorted() }
    var all: [Container] { state.withLock { state in state.bySlot.values.map(\.container) } }
    var count: Int { state.withLock { $0.bySlot.count } }
}
