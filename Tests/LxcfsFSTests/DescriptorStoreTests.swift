import Glibc
import Logging
import Syscalls
import Testing

@testable import LxcfsHandover
@testable import LxcfsKeeper

@Suite struct DescriptorStoreTests {
    private let path = "/tmp/kept-\(getpid())-\(Clock.monotonic()).json"

    private func file() throws -> HeldDescriptor {
        HeldDescriptor(try FileDescriptor.open("/dev/null"))
    }

    private func make() throws -> DescriptorStore {
        try DescriptorStore { _ in try file() }
    }

    private func named(_ name: String, _ payload: String = "") throws -> NamedDescriptor {
        NamedDescriptor(name: name, payload: payload, try FileDescriptor.open("/dev/null"))
    }

    /// What a worker would be told.
    private func kept(_ store: DescriptorStore) -> [WorkerSetup.Kept] {
        var setup = WorkerSetup()
        _ = store.enter(in: &setup, from: 3)
        return setup.kept
    }

    /// These names are with service managers, and with keepers of other versions.
    @Test func namesDoNotChange() throws {
        var store = try make()
        _ = store.kept.keep(try named("x"))
        #expect(
            store.items.map(\.name)
                == ["containers", "callers", "control", "seccomp", "memory", "kept-1"])
    }

    @Test func aWorkerIsToldWhereEverythingIs() throws {
        var store = try make()
        _ = store.kept.keep(try named("b", "2"))
        _ = store.kept.keep(try named("a", "1"))
        var setup = WorkerSetup()
        let numbers = store.enter(in: &setup, from: 10)
        #expect(Set(numbers) == Set(store.items.map(\.number)))
        for (index, descriptor) in HandoverDescriptor.allCases.enumerated() {
            #expect(setup[descriptor] == 10 + Int32(index))
            #expect(numbers[index] == store[descriptor].descriptor.raw)
        }
        #expect(setup.kept.map(\.name) == ["a", "b"])
        #expect(setup.kept.map(\.payload) == ["1", "2"])
        #expect(setup.kept.map(\.descriptor) == [15, 16])
        #expect(setup.descriptors == [-1, 10, 11, 12, 13, 14, 15, 16])
    }

    /// A worker chooses its names itself.
    @Test func aKeptDescriptorDoesNotTakeThePlaceOfAnother() throws {
        var store = try make()
        let memory = store[.memory].descriptor.raw
        _ = store.kept.keep(try named("memory"))
        #expect(store[.memory].descriptor.raw == memory)
        #expect(store.items.count == HandoverDescriptor.allCases.count + 1)
    }

    @Test func keepsOnePerNameAndComesBackFromTheStore() throws {
        defer { unlink(path) }
        var store = try make()
        let first = store.kept.keep(try named("a", "1"))
        #expect(first.dropped == nil)
        #expect(first.stored?.name == "kept-1")
        #expect(store.kept.keep(try named("b", "2")).stored?.name == "kept-2")
        let again = store.kept.keep(try named("a", "3"))
        #expect(again.dropped == "kept-1")
        #expect(again.stored?.name == "kept-3")
        #expect(kept(store).map(\.name) == ["a", "b"])
        #expect(kept(store).map(\.payload) == ["3", "2"])
        try store.kept.writeRecords(to: path)
        var other = try make()
        let unknown = try file()
        let left = try other.kept.restore(
            from: path, ["kept-3": try file(), "kept-9": unknown])
        #expect(left.keys.sorted() == ["kept-9"])
        #expect(kept(other).map(\.name) == ["a"])
        #expect(kept(other).map(\.payload) == ["3"])
        // Numbers are not used twice.
        #expect(other.kept.keep(try named("c")).stored?.name == "kept-4")
        #expect(store.kept.forget("a").dropped == "kept-3")
        #expect(store.kept.forget("a").dropped == nil)
        #expect(kept(store).count == 1)
    }

    /// Two owners would close one number twice, the second time somebody else's.
    @Test func aDescriptorHasOneNameWhateverTheRecordSays() throws {
        defer { unlink(path) }
        let record = #"{"name":"NAME","payload":"","number":1}"#
        let text = ["a", "b"].map { record.replacing("NAME", with: $0) }
        try replaceFile(path, with: Array("[\(text.joined(separator: ","))]".utf8))
        var store = try make()
        #expect(try store.kept.restore(from: path, ["kept-1": try file()]).isEmpty)
        #expect(kept(store).map(\.name) == ["a"])
    }

    @Test(arguments: [Int.max, Int.max - 1, 0, -1])
    func numbersDoNotOverflow(_ number: Int) throws {
        let path = "\(path)-\(number)"
        defer { unlink(path) }
        let text = #"[{"name":"a","payload":"","number":\#(number)}]"#
        try replaceFile(path, with: Array(text.utf8))
        var store = try make()
        #expect(try store.kept.restore(from: path, ["kept-\(number)": try file()]).count == 1)
        #expect(kept(store).isEmpty)
        #expect(store.kept.keep(try named("b")).stored != nil)
    }

    @Test func whatIsNotWholeIsNotTaken() throws {
        var stored: [String: HeldDescriptor] = ["kept-1": try file()]
        for descriptor in HandoverDescriptor.allCases {
            stored["\(descriptor.name)"] = try file()
        }
        var whole = stored
        #expect(DescriptorStore(takingFrom: &whole) != nil)
        #expect(whole.keys.sorted() == ["kept-1"])
        stored["seccomp"] = nil
        #expect(DescriptorStore(takingFrom: &stored) == nil)
    }

    @Test func whoKeepsTooManyIsRefused() throws {
        var kept = KeptDescriptors(limit: 3)
        for name in ["1", "2", "3"] {
            #expect(kept.keep(try named(name)).stored != nil)
        }
        #expect(kept.keep(try named("more")).stored == nil)
        // In the place of one that is there.
        #expect(kept.keep(try named("2")).stored != nil)
        #expect(kept.items.count == 3)
    }

    @Test func whoKeepsTooMuchIsRefused() throws {
        var kept = KeptDescriptors(room: 10)
        #expect(kept.keep(try named("four")).stored != nil)
        #expect(kept.keep(try named("six-six")).stored == nil)
        #expect(kept.keep(try named("six-66")).stored != nil)
        #expect(kept.keep(try named("x")).stored == nil)
        // What is forgotten, or replaced, makes room.
        #expect(kept.keep(try named("four")).stored != nil)
        #expect(kept.forget("six-66").dropped != nil)
        #expect(kept.keep(try named("12345")).stored != nil)
    }
}

/// What a keeper takes over from the one before.
@Suite struct InheritanceTests {
    private let path = "/tmp/inherited-\(getpid())-\(Clock.monotonic()).json"
    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// What a keeper would have stored, on connections that are both ends of a pipe or not.
    private func stored(alive: Bool) throws -> [String: HeldDescriptor] {
        let options = DaemonOptions(mountPoint: "/x")
        let memory = HeldDescriptor(try HandoverMemory.make(options))
        var stored: [String: HeldDescriptor] = [:]
        for descriptor in HandoverDescriptor.allCases {
            stored["\(descriptor.name)"] = HeldDescriptor(try FileDescriptor.open("/dev/null"))
        }
        stored["memory"] = memory
        if !alive {
            // The writing end of a pipe that nobody reads says POLLERR, as an aborted connection.
            var ends: [CInt] = [-1, -1]
            try #require(pipe2(&ends, O_CLOEXEC) == 0)
            close(ends[0])
            stored["containers"] = HeldDescriptor(FileDescriptor(owning: ends[1]))
        }
        var kept = KeptDescriptors()
        _ = kept.keep(
            NamedDescriptor(
                name: "seccomp:7", payload: "{}", try FileDescriptor.open("/dev/null")))
        try kept.writeRecords(to: path)
        stored["kept-1"] = HeldDescriptor(try FileDescriptor.open("/dev/null"))
        return stored
    }

    private func take(_ stored: [String: HeldDescriptor]) -> Inheritance {
        Inheritance.take(stored, path, ServiceNotifier(log: log), log)
    }

    private func names(_ kept: KeptDescriptors) -> [String] {
        kept.entered { _ in 3 }.map(\.name)
    }

    @Test func whatIsWholeAndGoodIsTaken() throws {
        defer { unlink(path) }
        let taken = take(try stored(alive: true))
        #expect(names(try #require(taken.store).kept) == ["seccomp:7"])
    }

    /// Nobody else answers what comes over them: its callers would wait for ever.
    @Test func keptDescriptorsOutliveConnectionsThatDoNot() throws {
        defer { unlink(path) }
        let taken = take(try stored(alive: false))
        #expect(taken.store == nil)
        #expect(names(taken.kept) == ["seccomp:7"])
        // Nor is a call that was being answered forgotten.
        let former = try #require(taken.formerMemory)
        former.start(of: .agent).storeBytes(of: 0x1234, as: UInt64.self)
        let memory = try HandoverMemory(
            try HandoverMemory.make(DaemonOptions(mountPoint: "/x")))
        memory.copy(.agent, from: former)
        #expect(memory.start(of: .agent).load(as: UInt64.self) == 0x1234)
        // And no name is given twice: the service manager has the first one still.
        var kept = taken.kept
        let change = kept.keep(
            NamedDescriptor(name: "x", payload: "", try FileDescriptor.open("/dev/null")))
        #expect(change.stored?.name == "kept-2")
    }

    @Test func keptDescriptorsOutliveMemoryOfAnotherVersion() throws {
        defer { unlink(path) }
        var stored = try stored(alive: true)
        stored["memory"] = HeldDescriptor(
            try SharedMemory.make("other", size: HandoverMemory.size(threads: 1)))
        let taken = take(stored)
        #expect(taken.store == nil)
        #expect(names(taken.kept) == ["seccomp:7"])
    }

    @Test func keptDescriptorsOutliveAStoreThatIsNotWhole() throws {
        defer { unlink(path) }
        var stored = try stored(alive: true)
        stored["seccomp"] = nil
        let taken = take(stored)
        #expect(taken.store == nil)
        #expect(names(taken.kept) == ["seccomp:7"])
    }

    @Test func withoutAnEarlierKeeperThereIsNothing() {
        let taken = take([:])
        #expect(taken.store == nil)
        #expect(taken.kept.items.isEmpty)
    }
}
