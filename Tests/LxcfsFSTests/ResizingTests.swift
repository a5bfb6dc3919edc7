import Glibc
import KernelText
import LxcfsHandover
import Synchronization
import Syscalls
import Testing

@testable import LxcfsPageCache

/// Files whose size changes all the time, under readers that are slow at the wrong moments: each
/// reads one whole content, without a byte more or less.
@Suite(.serialized) struct ResizingTests {
    private final class Shared: Sendable {
        let reads = Atomic<Int>(0)
        let wrong = Guarded<[String]>([])
        let number = Atomic<Int>(0)
        /// When an answer to a look-up was taken note of later than the page cache expects. What it
        /// does to the reads of others does not count.
        let lateLookAt = Atomic<UInt64>(0)

        func followsLateLook(_ time: UInt64) -> Bool {
            time < lateLookAt.load(ordering: .relaxed) + 100_000_000
        }

        /// After 1.5 s; later if the machine is too busy for reads that count.
        func isOver(since start: UInt64) -> Bool {
            let time = Clock.monotonic() - start
            return time > 1_500_000_000
                && (reads.load(ordering: .relaxed) > 500 || time > 60_000_000_000)
        }
    }

    /// A letter as often as the first one says, and a newline.
    private static func text(_ number: Int) -> [UInt8] {
        let count = 10 + number * 7 % 5
        return [UInt8](repeating: UInt8(ascii: "a") + UInt8(count), count: count) + [10]
    }

    private static func isWhole(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first else { return false }
        let count = Int(first) - Int(UInt8(ascii: "a"))
        return count > 0 && bytes.count == count + 1 && bytes.last == 10
            && bytes.dropLast().allSatisfy { $0 == first }
    }

    @Test(arguments: [1, 2] as [UInt64], [3, 4, 8])
    func readersSeeOneContent(worker: UInt64, threads: Int) async throws {
        let window: UInt64 = 2_000_000
        let memory = try HandoverMemory(
            try HandoverMemory.make(DaemonOptions(mountPoint: "/x")))
        let shared = Shared()
        let kernel = try ModelKernel(window: window, threads: threads) { most in
            // Most of the time nobody is kept from running.
            if Int.random(in: 0..<4) == 0 { usleep(UInt32.random(in: 0...most)) }
        }
        let cache = try PageCache(
            kernel, window: window, threads: threads, worker: worker, memory: memory,
            cpuWait: { 15_000_000 })
        try cache.start()
        let daemon: ModelKernel.Daemon = (
            cache, NodeID(slot: 7, file: FixedNode.swaps.rawValue), CachedFiles()
        )
        kernel.lookUp(daemon)
        @Sendable func make() -> Snapshot {
            Self.text(shared.number.load(ordering: .relaxed)).withUnsafeBufferPointer {
                Snapshot($0, time: Clock.monotonic())
            }
        }
        let start = Clock.monotonic()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await Self.onThread {
                    while !shared.isOver(since: start) {
                        usleep(UInt32.random(in: 0...40_000))
                        shared.number.add(1, ordering: .relaxed)
                    }
                }
            }
            for reader in 0..<5 {
                group.addTask {
                    await Self.onThread {
                        while !shared.isOver(since: start) {
                            Self.readOnce(kernel, daemon, reader, shared, make)
                            // Some read all the time, and some now and then.
                            if reader == 0 { usleep(UInt32.random(in: 0...60_000)) }
                        }
                    }
                }
            }
        }
        kernel.end()
        #expect(shared.wrong.withLock { $0 } == [])
        // A machine that does other things makes readers late, whose reads do not count.
        #expect(shared.reads.load(ordering: .relaxed) > 0)
    }

    private static func onThread(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            do {
                try startThread("reader") {
                    body()
                    done.resume()
                }
            } catch {
                Issue.record(error)
                done.resume()
            }
        }
    }

    private static func readOnce(
        _ kernel: ModelKernel, _ daemon: ModelKernel.Daemon, _ reader: Int, _ shared: Shared,
        _ make: @escaping ModelKernel.Make
    ) {
        var bytes: [UInt8]?
        let clock = ModelKernel.ReaderClock()
        let start = Clock.monotonic()
        if reader == 1, Int.random(in: 0..<20) == 0, !kernel.lookUp(daemon) {
            shared.lateLookAt.store(Clock.monotonic(), ordering: .relaxed)
        }
        if reader == 2 { bytes = kernel.send(daemon, clock, make: make) }
        if bytes == nil { bytes = kernel.read(daemon, clock, make: make) }
        if clock.isLate || shared.followsLateLook(start) { return }
        guard let bytes else {
            shared.wrong.withLock { $0.append("read(2) of \(reader) has failed") }
            return
        }
        shared.reads.add(1, ordering: .relaxed)
        if !isWhole(bytes) {
            let text = String(decoding: bytes, as: UTF8.self)
            shared.wrong.withLock { $0.append("\(reader): \(text.debugDescription)") }
        }
    }
}
