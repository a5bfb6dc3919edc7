import Cgroups
import Control
import Glibc
import KernelText
import ProcView
import Syscalls
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper

/// What one worker leaves in the shared memory and the next one finds there.
@Suite struct HandoverMemoryTests {
    private func make(threads: Int = 2, coherence: Int = 10) throws -> FileDescriptor {
        var options = DaemonOptions(mountPoint: "/x")
        options.threads = threads
        options.coherence = coherence
        return try HandoverMemory.make(options)
    }

    private func snapshot(_ text: String, at time: UInt64 = 1) -> Snapshot {
        Array(text.utf8).withUnsafeBufferPointer { Snapshot($0, time: time) }
    }

    private func text(_ snapshot: Snapshot?) -> String? { snapshot?.bytes.string }

    @Test func theHeaderIsSeenByTheNextWorker() throws {
        let memory = try make(threads: 5, coherence: 0)
        let first = try HandoverMemory(memory)
        first.nextSlot = 9
        first.passesThrough = true
        #expect(first.beginLife() == 1)
        let second = try HandoverMemory(memory)
        #expect(second.beginLife() == 2)
        #expect(second.nextSlot == 9)
        #expect(second.passesThrough)
        // What was chosen with the connections stays.
        var options = DaemonOptions(mountPoint: "/x")
        second.bind(&options)
        #expect(options.threads == 5)
        #expect(options.coherence == 0)
    }

    /// Another version of the daemon, before or after this one, finds the parts at these places.
    @Test func thePartsLieWhereTheContractSays() {
        let places = HandoverMemory.Region.allCases.map { [$0.offset, $0.size] }
        #expect(
            places == [
                [1024, 2048], [3072, 1024], [16384, 1_069_056], [1_085_440, 68_157_440],
                [69_242_880, 16384],
            ])
        #expect(HandoverMemory.size(threads: 4) == 69_259_264 + 8 * (1 << 20 | 1 << 16))
        #expect(Suspects.size == HandoverMemory.Region.suspects.size)
        #expect(Pushes.size == HandoverMemory.Region.pushes.size)
        #expect(Announcements.size == HandoverMemory.Region.announcements.size)
        #expect(OpenFiles.size == HandoverMemory.Region.openFiles.size)
        #expect(AgentSlots.size == HandoverMemory.Region.agent.size)
    }

    /// So that it counts as one for those who look for hangs and for the cause of crashes.
    @Test func aRequestThatIsSentAgainHasTheSameNumber() throws {
        let request = try HandoverMemory(try make()).request(.callers, 1)
        let resent: UInt64 = 8 | 1 << 63
        #expect(request.size == 0)
        request.memory.storeBytes(of: 56, as: UInt32.self)
        request.memory.storeBytes(of: 8, toByteOffset: 8, as: UInt64.self)
        #expect(request.size == 56)
        #expect(request.unique == 8)
        request.memory.storeBytes(of: resent, toByteOffset: 8, as: UInt64.self)
        #expect(request.unique == 8)
        #expect(request.rawUnique == resent)
        request.clear()
        #expect(request.size == 0)
    }

    @Test func memoryOfAnotherVersionIsRefused() throws {
        let memory = try SharedMemory.make("other", size: HandoverMemory.size(threads: 1))
        #expect(throws: DaemonError.self) { try HandoverMemory(memory) }
    }

    @Test func contentsAreFoundUntilManyOthersHaveBeenTold() throws {
        let memory = try make()
        let first = try HandoverMemory(memory).announcements
        let node = NodeID(slot: 3, file: 19)
        first.add(snapshot("old", at: 5), node)
        first.add(snapshot("new", at: 7), node)
        first.add(snapshot("longer", at: 8), node)
        first.add(snapshot(String(repeating: "x", count: 100_000), at: 9), node)
        let second = try HandoverMemory(memory).announcements
        #expect(text(second.latest(node, count: 3, now: 8, maxAge: 10)) == "new")
        #expect(second.latest(node, count: 3, now: 20, maxAge: 10) == nil)
        #expect(second.latest(node, count: 4, now: 8, maxAge: 10) == nil)
        #expect(second.latest(NodeID(slot: 4, file: 19), count: 3, now: 8, maxAge: 10) == nil)
        #expect(second.all.map { text($0.snapshot) } == ["old", "new", "longer"])
        for index in 0..<512 {
            second.add(snapshot("later", at: 10), NodeID(slot: 9, file: UInt32(index)))
        }
        #expect(second.latest(node, count: 3, now: 8, maxAge: 10) == nil)
        #expect(second.all.count == 512)
        #expect(second.all.last?.node == NodeID(slot: 9, file: 511))
    }

    @Test func longContentsEndTheLifeOfOthersEarlier() throws {
        let announcements = try HandoverMemory(try make()).announcements
        let node = NodeID(slot: 3, file: 19)
        announcements.add(snapshot("short", at: 1), node)
        // 20 of 65,000 bytes are more than a megabyte; none may lie across its end.
        for index in 0..<20 {
            let letter = String(UnicodeScalar(UInt8(97 + index)))
            let text = String(repeating: letter, count: 65_000)
            announcements.add(snapshot(text, at: 2), NodeID(slot: 4, file: UInt32(index)))
        }
        #expect(announcements.latest(node, count: 5, now: 3, maxAge: 10) == nil)
        let kept = announcements.all
        #expect((14...16).contains(kept.count))
        #expect(kept.last?.node.file == 19)
        for entry in kept {
            let letter = String(UnicodeScalar(UInt8(97 + entry.node.file)))
            #expect(text(entry.snapshot) == String(repeating: letter, count: 65_000))
        }
    }

    @Test func theNextWorkerBeginsWithTheLastContent() throws {
        let announcements = try HandoverMemory(try make()).announcements
        let node = NodeID(slot: 3, file: 19)
        let other = NodeID(slot: 4, file: 19)
        for (index, content) in ["one", "two", "longer"].enumerated() {
            announcements.add(snapshot(content, at: UInt64(index)), node)
        }
        announcements.add(snapshot("longer", at: 1), other)
        announcements.add(snapshot("short", at: 2), other)
        func told(_ unfinished: Set<NodeID>) -> [String] {
            announcements.lastTold(unfinished: unfinished)
                .sorted { $0.node.slot < $1.node.slot }.map { text($0.snapshot) ?? "" }
        }
        #expect(told([]) == ["longer", "short"])
        // Who does not know whether the kernel has a longer one, takes that before.
        #expect(told([node, other]) == ["two", "short"])
    }

    @Test func whatWasBeingToldIsSeenByTheNextWorker() throws {
        let memory = try make()
        let first = Pushes(try HandoverMemory(memory).pushes)
        let node = NodeID(slot: 3, file: 19)
        let mark = first.begin(node)
        let second = first.begin(NodeID(slot: 4, file: 19))
        first.end(second)
        let next = Pushes(try HandoverMemory(memory).pushes)
        #expect(next.takeLeft() == [node])
        #expect(next.takeLeft().isEmpty)
        first.end(mark)
        for number in 0..<128 { #expect(first.begin(node) == number) }
        #expect(first.begin(node) == nil)
        first.end(nil)
        // Nothing beyond its room is touched.
        #expect(try HandoverMemory(memory).suspects.crashed(with: [2]).isEmpty)
        #expect(first.takeLeft().count == 128)
    }

    @Test func whatIsHandedOverIsShownForAMoment() throws {
        let shared = try HandoverMemory(try make())
        let node = NodeID(slot: 3, file: 19)
        let old = NodeID(slot: 5, file: 19)
        shared.announcements.add(snapshot("long ago", at: 1), old)
        shared.announcements.add(snapshot("last", at: Clock.monotonic()), node)
        let handedOver = HandedOver()
        #expect(handedOver.content(of: node, now: Clock.monotonic()) == nil)
        let told = handedOver.take(
            shared.announcements, Pushes(shared.pushes), former: 0)
        #expect(Set(told.map(\.node)) == [node, old])
        let now = Clock.monotonic()
        #expect(handedOver.content(of: old, now: now) == nil)
        #expect(text(handedOver.content(of: node, now: now)) == "last")
        #expect(handedOver.content(of: NodeID(slot: 4, file: 19), now: now) == nil)
        #expect(handedOver.content(of: node, now: now + 1_000_000_000) == nil)
        #expect(handedOver.content(of: node, now: now) == nil)
    }

    // MARK: - Open files

    private func open(_ text: String, _ node: NodeID = NodeID(slot: 0, file: 19)) -> OpenFile {
        OpenFile(node, snapshot(text), identity: 77, begun: false)
    }

    @Test func openFilesComeBackWithTheirContent() throws {
        let memory = try make()
        let shared = try HandoverMemory(memory)
        let first = OpenFiles(shared.openFiles)
        first.restore(life: 1)
        let long = String(repeating: "0123456789", count: 2000)
        let handles = [
            first.add(open("one"), opener: 2), first.add(open(long), opener: 4),
            first.add(open("three"), opener: 6),
        ]
        #expect(Set(handles).count == 3)
        first.noteBegun(handles[0], by: 12)
        first.replace(handles[2], snapshot("the third"), for: 14)
        first.remove(handles[1])
        #expect(first.count == 2)

        let second = OpenFiles(shared.openFiles)
        second.restore(life: 2)
        #expect(second.count == 2)
        #expect(text(second.file(handles[0])?.snapshot) == "one")
        #expect(second.file(handles[0])?.identity == 77)
        #expect(second.isFor(12, handles[0]))
        #expect(!second.isFor(14, handles[0]))
        #expect(second.file(handles[1]) == nil)
        #expect(second.isFor(14, handles[2]))
        #expect(text(second.file(handles[2])?.snapshot) == "the third")
        // New files do not take the place of old ones.
        let other = second.add(open(long), opener: 8)
        #expect(!handles.contains(other))
        #expect(text(second.file(handles[0])?.snapshot) == "one")
        #expect(text(second.file(other)?.snapshot) == long)
        for handle in [handles[0], handles[2], other, other] { second.remove(handle) }
        #expect(second.count == 0)
        let third = OpenFiles(shared.openFiles)
        third.restore(life: 3)
        #expect(third.count == 0)
    }

    @Test func anOpenThatIsRepeatedGetsTheHandleAgain() throws {
        let shared = try HandoverMemory(try make())
        let first = OpenFiles(shared.openFiles)
        first.restore(life: 1)
        let handle = first.add(open("one"), opener: 2)
        let second = OpenFiles(shared.openFiles)
        second.restore(life: 2)
        #expect(second.add(open("again"), opener: 2) == handle)
        #expect(second.count == 1)
        // Only once: later it is another OPEN.
        #expect(second.add(open("again"), opener: 2) != handle)
    }

    @Test func withoutRoomFilesAreOpenedAllTheSame() throws {
        let shared = try HandoverMemory(try make())
        let files = OpenFiles(shared.openFiles)
        files.restore(life: 1)
        let all = (0..<16400).map { files.add(open("x"), opener: UInt64($0) * 2) }
        #expect(Set(all).count == all.count)
        #expect(all.allSatisfy { files.file($0) != nil })
        for handle in all { files.remove(handle) }
        #expect(files.count == 0)
        // All room is there again.
        let large = String(repeating: "y", count: 1 << 20)
        let handles = (0..<65).map { files.add(open(large), opener: UInt64($0)) }
        #expect(handles.count { $0 < 1 << 63 } == 64)
    }

    // MARK: - Counters

    // MARK: - Requests

    @Test func pendingRequestsAreTold() throws {
        let memory = try make()
        let first = try HandoverMemory(memory)
        let request = first.request(.callers, 1)
        #expect(request.size == 0)
        request.memory.storeBytes(of: 48, as: UInt32.self)
        (request.memory + 8).storeBytes(of: 1 << 63 | 10, as: UInt64.self)
        request.touch()
        let found = try HandoverMemory(memory).requests(.callers).filter { $0.size > 0 }
        #expect(found.map(\.unique) == [10])
        #expect(found.map { Suspects.key($0, .callers) } == [11])
        #expect(try HandoverMemory(memory).requests(.containers).allSatisfy { $0.size == 0 })
        found.first?.clear()
        #expect(request.size == 0)
    }

    @Test func whatWasThereAtThreeCrashesIsNotTriedAgain() throws {
        let suspects = try HandoverMemory(try make()).suspects
        #expect(suspects.crashed(with: [2, 4]) == [])
        #expect(suspects.crashed(with: [4, 6]) == [])
        #expect(suspects.crashed(with: [8, 4]) == [4])
        #expect(suspects.crashed(with: [8]) == [])
        #expect(suspects.crashed(with: [4]) == [])
    }
}

@Suite struct RestartPaceTests {
    private let millisecond: UInt64 = 1_000_000

    @Test func backsOffButNeverGivesUp() {
        var pace = RestartPace()
        let delays = (0..<1000).map { _ in pace.delay(after: .neverServed) / millisecond }
        #expect(delays.prefix(4) == [50, 100, 200, 400])
        #expect(delays.max() == 5000)
        // One that has served is forgiven.
        #expect(pace.delay(after: .served(for: 1 << 40, isCrash: true)) == 0)
        #expect(pace.delay(after: .neverServed) == 50 * millisecond)
    }

    @Test func crashesInARowAreSlowedDown() {
        var pace = RestartPace()
        let delays = (0..<100).map { _ in
            pace.delay(after: .served(for: millisecond, isCrash: true)) / millisecond
        }
        #expect(delays.prefix(7) == [0, 0, 0, 0, 0, 10, 20])
        #expect(delays.max() == 2000)
    }

    @Test func whoeverKillsWorkersGetsNewOnesAtOnce() {
        var pace = RestartPace()
        for _ in 0..<1000 {
            #expect(pace.delay(after: .served(for: millisecond, isCrash: false)) == 0)
        }
    }
}

extension HandoverMemory {
    fileprivate var announcements: Announcements {
        Announcements(start(of: .announcements))
    }
    fileprivate var pushes: UnsafeMutableRawPointer { start(of: .pushes) }
    fileprivate var openFiles: UnsafeMutableRawPointer { start(of: .openFiles) }
}
