import Glibc
import KernelText
import LxcfsHandover
import Synchronization
import Syscalls
import Testing

@testable import LxcfsPageCache

/// Containers of which dropping a page takes long, or costs much, beside others.
@Suite(.serialized) struct ExpirerTests {
    private final class SlowKernel: KernelPages {
        enum Way: Sendable { case quick, stuck, costly }
        let ways: [UInt32: Way]
        let drops = Guarded<[UInt32: [UInt64]]>([:])
        let isOver = Permits(0)

        init(_ ways: [UInt32: Way]) { self.ways = ways }

        func store(_ content: Snapshot, in node: NodeID) -> Bool { true }
        func waitsForPage(_ thread: pid_t) -> Bool { true }

        func drop(_ node: NodeID) -> Bool {
            switch ways[node.slot] ?? .quick {
            case .quick: break
            case .stuck:
                while !isOver.take(within: 1_000_000_000) {}
                isOver.give()
            case .costly:
                let end = Clock.thread() + 20_000_000
                while Clock.thread() < end {}
            }
            drops.withLock { $0[node.slot, default: []].append(Clock.monotonic()) }
            return true
        }

        func times(_ slot: UInt32) -> [UInt64] { drops.withLock { $0[slot] ?? [] } }
    }

    /// Contents of each slot, all the time, for as long as `nanoseconds`.
    private func run(_ kernel: SlowKernel, slots: ClosedRange<UInt32>, _ nanoseconds: UInt64)
        throws
    {
        let memory = try HandoverMemory(
            try HandoverMemory.make(DaemonOptions(mountPoint: "/x")))
        let cache = try PageCache(
            kernel, window: 10_000_000, threads: 16, worker: 1, memory: memory)
        try cache.start()
        let files = slots.map { ($0, CachedFiles()) }
        let end = Clock.monotonic() + nanoseconds
        while Clock.monotonic() < end {
            for (slot, files) in files {
                let node = NodeID(slot: slot, file: FixedNode.uptime.rawValue)
                let text = Array("\(Clock.monotonic() / 1_000_000 + 1_000_000_000)\n".utf8)
                try cache.size(of: node, in: files) { () throws(SystemError) in
                    text.withUnsafeBufferPointer { Snapshot($0, time: Clock.monotonic()) }
                } tell: { _, _ in
                }
            }
            // What is read again sooner need not be dropped.
            usleep(120_000)
        }
    }

    /// The longest time between two drops, in nanoseconds.
    private func longest(_ times: [UInt64]) -> UInt64 {
        zip(times, times.dropFirst()).map { clampedDifference($1, $0) }.max() ?? .max
    }

    @Test func containersThatAreStuckStopNobody() throws {
        let kernel = SlowKernel([1: .stuck, 2: .stuck, 3: .stuck, 4: .stuck, 5: .stuck])
        try run(kernel, slots: 1...8, 2_500_000_000)
        for slot in 6...8 as ClosedRange<UInt32> {
            let times = kernel.times(slot)
            #expect(times.count >= 5, "slot \(slot)")
            // 0.1 s, and five first waits; a busy machine takes its time, too.
            #expect(longest(times) < 500_000_000, "slot \(slot)")
        }
        #expect((1...5).allSatisfy { kernel.times($0).isEmpty })
        kernel.isOver.give()
        // Once readers let go, they have their turn again.
        usleep(300_000)
        #expect((1...5).allSatisfy { !kernel.times($0).isEmpty })
    }

    @Test func whatCostsMuchIsDoneSeldom() throws {
        let kernel = SlowKernel([1: .costly])
        try run(kernel, slots: 1...2, 2_500_000_000)
        // 20 ms of CPU time are 0.4 s of one twentieth.
        #expect((1...5).contains(kernel.times(1).count))
        #expect(kernel.times(2).count > kernel.times(1).count)
    }

    // MARK: - Turns and permits

    @Test func costsAreCounted() {
        let turns = DropTurns()
        #expect(turns.mayDrop(now: 0) && !turns.isSlow(now: 0))
        turns.note(cpu: 100_000, time: 100_000, now: 1000)
        #expect(turns.mayDrop(now: 1000) && !turns.isSlow(now: 1000))
        turns.note(cpu: 1_000_000, time: 1_000_000, now: 1000)
        #expect(!turns.mayDrop(now: 20_000_999) && turns.mayDrop(now: 20_001_000))
        #expect(!turns.isSlow(now: 1000))
        // It has waited, and cost nothing.
        turns.note(cpu: 0, time: DropTurns.longest, now: 30_000_000)
        #expect(turns.mayDrop(now: 30_000_000) && turns.isSlow(now: 30_000_000))
        #expect(!turns.isSlow(now: 20_000_000_000))
    }

    @Test func onePushOfAContainerAndSomeOfAll() {
        let all = PagePermits(pushes: 2)
        let first = PushPermits(of: all)
        let second = PushPermits(of: all)
        let third = PushPermits(of: all)
        #expect(first.take())
        #expect(!first.take())
        #expect(second.take())
        let start = Clock.monotonic()
        // Nobody waits for what others have.
        #expect(!third.take())
        #expect(Clock.monotonic() - start < 2_000_000)
        first.give()
        #expect(third.take())
        #expect(!first.take())
        second.give()
        #expect(first.take())
    }

    @Test func sizesChangeInTurn() {
        let all = PagePermits()
        let greedy = (0..<PagePermits.mostResizings).map { _ in PushPermits(of: all) }
        for permits in greedy { #expect(permits.beginResizing(now: 1_000_000_000)) }
        #expect(!greedy[0].beginResizing(now: 1_000_000_000))
        let other = PushPermits(of: all)
        #expect(!other.beginResizing(now: 1_010_000_000))
        greedy[0].endResizing()
        // Somebody else waits.
        #expect(!greedy[0].beginResizing(now: 1_020_000_000))
        #expect(other.beginResizing(now: 1_030_000_000))
        greedy[1].endResizing()
        #expect(greedy[1].beginResizing(now: 1_200_000_000))
    }
}
