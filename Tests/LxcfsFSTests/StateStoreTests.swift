import Foundation
import Logging
import Syscalls
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover

/// What becomes of a state for which there is no room.
@Suite struct StateStoreTests {
    /// As the keeper, in one process.
    private final class Holder: StateHolder {
        var fails = false

        func hold(_ state: String, name: String) throws {
            if fails { throw DaemonError("no") }
            held[name] = state
        }
        func forget(name: String) throws { held[name] = nil }
        var held: [String: String] = [:]

        /// What the next worker gets.
        func handOver(to store: StateStore) throws {
            for (name, state) in held {
                store.adopt(
                    NamedDescriptor(name: name, payload: state, try EventDescriptor.make()))
            }
        }
    }

    private let directory = StateDirectory(
        path: NSTemporaryDirectory() + "states-" + UUID().uuidString)
    private let holder = Holder()

    private func store() -> StateStore {
        StateStore(directory, holder, log: Logger(label: "test"))
    }

    private func state(_ id: String, slot: UInt32) throws -> ContainerState {
        ContainerState(try makeContainer(id, slot: slot), key: id, nil)
    }

    private func makeRoom() throws { try directory.prepare() }
    private func removeAll() { try? FileManager.default.removeItem(atPath: directory.path) }

    @Test func whatHasNoRoomIsWrittenWhenThereIsSome() throws {
        defer { removeAll() }
        let store = store()
        let (one, two) = (try state("one", slot: 1), try state("two", slot: 2))
        store.write(one)
        store.write(two)
        #expect(store.unwrittenCount == 2)
        #expect(holder.held.keys.sorted() == ["state:one", "state:two"])
        let due = try #require(store.nextTry)
        store.retry(now: due - 1)
        store.retry(now: due)
        #expect(store.unwrittenCount == 2)
        #expect(try #require(store.nextTry) > due)
        try makeRoom()
        store.retry(now: .max)
        #expect(store.unwrittenCount == 0 && store.nextTry == nil)
        #expect(holder.held.isEmpty)
        #expect(try directory.read().states.map(\.0.id).sorted() == ["one", "two"])
    }

    @Test func theNextWorkerKnowsWhatIsNotWritten() throws {
        defer { removeAll() }
        try makeRoom()
        let first = store()
        first.write(try state("old", slot: 1))
        first.write(try state("again", slot: 2))
        removeAll()
        // Also one whose id another container had before.
        first.write(try state("new", slot: 3))
        first.write(try state("again", slot: 4))
        try makeRoom()
        try directory.write(try state("old", slot: 1))
        try directory.write(try state("again", slot: 2))

        let second = store()
        try holder.handOver(to: second)
        let content = try second.read()
        let known = Dictionary(
            uniqueKeysWithValues: content.states.map { ($0.0.id, $0.0.slot) })
        #expect(known == ["old": 1, "new": 3, "again": 4])
        #expect(content.present.keys.sorted() == ["again.json", "new.json", "old.json"])
        // What is known is not read again.
        #expect(try second.read(except: content.present).states.isEmpty)
        // It writes them in the place of the first one.
        second.retry(now: .max)
        #expect(holder.held.isEmpty)
        #expect(try directory.read().states.map(\.0.slot).sorted() == [1, 3, 4])
        // Files are taken up anew.
        #expect(
            try second.read(except: content.present).states.map(\.0.slot).sorted() == [3, 4])
    }

    @Test func whatTheFormerWorkerHasWrittenMeanwhileIsNotNeeded() throws {
        defer { removeAll() }
        let first = store()
        first.write(try state("one", slot: 1))
        let second = store()
        try holder.handOver(to: second)
        #expect(try #require(second.nextTry) > 0)
        second.abandon(name: "state:one")
        #expect(second.unwrittenCount == 0 && second.nextTry == nil)
        // Killed between writing and saying so: the file is the newer one.
        try makeRoom()
        try directory.write(try state("one", slot: 1))
        let third = store()
        try holder.handOver(to: third)
        #expect(try third.read().states.count == 1)
        third.retry(now: .max)
        #expect(holder.held.isEmpty)
    }

    @Test func aContainerThatIsGoneIsNotWritten() throws {
        defer { removeAll() }
        let store = store()
        store.write(try state("one", slot: 1))
        try makeRoom()
        try store.remove(key: "one")
        store.retry(now: .max)
        #expect(holder.held.isEmpty && store.nextTry == nil)
        #expect(try directory.read().states.isEmpty)
    }

    @Test func withoutAKeeperItIsStillWrittenLater() throws {
        defer { removeAll() }
        holder.fails = true
        let store = store()
        store.write(try state("one", slot: 1))
        #expect(store.unwrittenCount == 1)
        try makeRoom()
        store.retry(now: .max)
        #expect(try directory.read().states.count == 1)
    }

    @Test func whatIsNoStateIsLeft() throws {
        let store = store()
        for (name, text) in [("state:x", "{"), ("state:other", "{\"id\":\"x\"}")] {
            store.adopt(
                NamedDescriptor(name: name, payload: text, try EventDescriptor.make()))
        }
        #expect(store.unwrittenCount == 0)
    }
}
