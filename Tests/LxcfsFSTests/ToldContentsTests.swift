import Glibc
import KernelText
import Syscalls
import Testing

@testable import LxcfsHandover
@testable import LxcfsPageCache

/// What a worker leaves of the contents that the kernel has been told of.
@Suite struct ToldContentsTests {
    private func snapshot(_ text: String, at time: UInt64 = 1) -> Snapshot {
        Array(text.utf8).withUnsafeBufferPointer { Snapshot($0, time: time) }
    }

    private func text(_ snapshot: Snapshot?) -> String? { snapshot?.bytes.string }

    private func makeMemory() throws -> HandoverMemory {
        try HandoverMemory(try HandoverMemory.make(DaemonOptions(mountPoint: "/x")))
    }

    @Test func contentsAreFoundUntilManyOthersHaveBeenTold() throws {
        let memory = try makeMemory()
        let first = ToldRing(memory.start(of: .announcements))
        let node = NodeID(slot: 3, file: 19)
        first.add(snapshot("old", at: 5), node)
        first.add(snapshot("new", at: 7), node)
        first.add(snapshot("longer", at: 8), node)
        first.add(snapshot(String(repeating: "x", count: 100_000), at: 9), node)
        let second = ToldRing(memory.start(of: .announcements))
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
        let announcements = ToldRing(try makeMemory().start(of: .announcements))
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
        let announcements = ToldRing(try makeMemory().start(of: .announcements))
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
        let memory = try makeMemory()
        let first = PushMarks(memory.start(of: .pushes))
        let node = NodeID(slot: 3, file: 19)
        let mark = first.begin(node)
        let second = first.begin(NodeID(slot: 4, file: 19))
        first.end(second)
        let next = PushMarks(memory.start(of: .pushes))
        #expect(next.takeLeft() == [node])
        #expect(next.takeLeft().isEmpty)
        first.end(mark)
        for number in 0..<128 { #expect(first.begin(node) == number) }
        #expect(first.begin(node) == nil)
        first.end(nil)
        // Nothing beyond its room is touched.
        #expect(memory.suspects.crashed(with: [2]).isEmpty)
        #expect(first.takeLeft().count == 128)
    }

    @Test func whatAFormerWorkerHasToldIsShownForAMoment() throws {
        let memory = try makeMemory()
        let contents = ToldContents(memory)
        let node = NodeID(slot: 3, file: 19)
        let old = NodeID(slot: 5, file: 19)
        contents.told(snapshot("long ago", at: 1), old)
        contents.told(snapshot("last", at: Clock.monotonic()), node)
        let former = FormerContents()
        #expect(former.content(of: node, now: Clock.monotonic()) == nil)
        let told = former.take(contents, former: 0, now: Clock.monotonic())
        #expect(Set(told.map(\.node)) == [node, old])
        let now = Clock.monotonic()
        #expect(former.content(of: old, now: now) == nil)
        #expect(text(former.content(of: node, now: now)) == "last")
        #expect(former.content(of: NodeID(slot: 4, file: 19), now: now) == nil)
        #expect(former.content(of: node, now: now + 1_000_000_000) == nil)
        #expect(former.content(of: node, now: now) == nil)
    }
}
