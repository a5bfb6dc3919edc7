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
        #expect(!first.hasCallersOnTop)
        first.hasCallersOnTop = true
        #expect(first.beginLife() == 1)
        #expect(first.deaths == 0 && first.upgrades == 0)
        first.countDeath()
        first.countDeath()
        first.countUpgrade()
        let second = try HandoverMemory(memory)
        #expect(second.beginLife() == 2)
        #expect(second.nextSlot == 9)
        #expect(second.deaths == 2 && second.upgrades == 1)
        #expect(second.passesThrough)
        #expect(second.hasCallersOnTop)
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
        let empty = try SharedMemory.make("other", size: HandoverMemory.size(threads: 1))
        #expect(throws: DaemonError.self) { try HandoverMemory(empty) }
        // Of which only the version is another one.
        let memory = try make(threads: 2)
        let base = try SharedMemory.map(memory, size: 4096)
        defer { munmap(base, 4096) }
        _ = try HandoverMemory(memory)
        base.storeBytes(of: HandoverMemory.version + 1, as: UInt32.self)
        #expect(throws: DaemonError.self) { try HandoverMemory(memory) }
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
