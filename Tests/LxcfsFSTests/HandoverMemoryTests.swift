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
@testable import LxcfsPageCache

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
        #expect(PushMarks.size == HandoverMemory.Region.pushes.size)
        #expect(ToldRing.size == HandoverMemory.Region.announcements.size)
        #expect(OpenFileTable.size == HandoverMemory.Region.openFiles.size)
        #expect(AgentSlots.size == HandoverMemory.Region.agent.size)
    }

    @Test func memoryOfAnotherVersionIsRefused() throws {
        let memory = try SharedMemory.make("other", size: HandoverMemory.size(threads: 1))
        #expect(throws: SystemError.self) { try HandoverMemory(memory) }
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

@Suite struct KeptDescriptorsTests {
    @Test func keepsOnePerNameAndComesBackFromTheStore() throws {
        let path = "/tmp/kept-\(getpid())-\(Clock.monotonic()).json"
        defer { unlink(path) }
        func file() throws -> FileDescriptor { try FileDescriptor.open("/dev/null") }
        var kept = KeptDescriptors()
        #expect(kept.add(try file(), name: "a", payload: "1") == "kept-1")
        #expect(kept.add(try file(), name: "b", payload: "2") == "kept-2")
        #expect(kept.add(try file(), name: "a", payload: "3") == "kept-3")
        #expect(kept.all.map(\.name) == ["a", "b"])
        #expect(kept.all.map(\.payload) == ["3", "2"])
        try kept.write(to: path)
        var other = KeptDescriptors()
        let unknown = try file().release()
        defer { close(unknown) }
        let left = try other.restore(
            from: path, ["kept-3": try file().release(), "kept-9": unknown])
        #expect(left == ["kept-9": unknown])
        #expect(other.all.map(\.name) == ["a"])
        #expect(other.all.map(\.payload) == ["3"])
        // Numbers are not used twice.
        #expect(other.add(try file(), name: "c", payload: "") == "kept-4")
        kept.remove("a")
        #expect(kept.count == 1)
    }

    /// Two owners would close one number twice, the second time somebody else's.
    @Test func aDescriptorHasOneOwnerWhateverTheRecordSays() throws {
        let path = "/tmp/kept-\(getpid())-\(Clock.monotonic()).json"
        defer { unlink(path) }
        let record = #"{"name":"NAME","payload":"","number":1}"#
        let text = ["a", "b"].map { record.replacing("NAME", with: $0) }
        try replaceFile(path, with: Array("[\(text.joined(separator: ","))]".utf8))
        let number = try FileDescriptor.open("/dev/null").release()
        var kept = KeptDescriptors()
        #expect(try kept.restore(from: path, ["kept-1": number]).isEmpty)
        #expect(kept.all.map(\.descriptor) == [number])
    }

    @Test func numbersDoNotOverflow() throws {
        let path = "/tmp/kept-\(getpid())-\(Clock.monotonic()).json"
        defer { unlink(path) }
        let text = #"[{"name":"a","payload":"","number":\#(Int.max)}]"#
        try replaceFile(path, with: Array(text.utf8))
        let number = try FileDescriptor.open("/dev/null").release()
        defer { close(number) }
        var kept = KeptDescriptors()
        #expect(try kept.restore(from: path, ["kept-\(Int.max)": number]).count == 1)
        #expect(kept.count == 0)
    }
}
