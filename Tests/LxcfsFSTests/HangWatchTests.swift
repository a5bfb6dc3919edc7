import Glibc
import KernelText
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper
@testable import LxcfsPageCache

@Suite final class HangWatchTests {
    private var watch = HangWatch()
    /// What two threads are answering.
    private var requests: [UInt64] = [0, 0]

    private func put(_ unique: UInt64, _ index: Int) { requests[index] = unique }

    /// What is found in `count` looks by somebody whose questions are answered.
    private func look(_ count: Int) -> HangWatch.Finding? {
        for _ in 0..<count {
            if let finding = watch.look(at: requests) { return finding }
            if watch.isToAsk {
                watch.asked()
                watch.answered()
            }
        }
        return nil
    }

    @Test func aRequestThatStaysIsFound() {
        put(8, 1)
        #expect(look(HangWatch.patience) == nil)
        #expect(look(1) == .request(8))
    }

    @Test func anotherRequestBeginsAnew() {
        for unique in stride(from: UInt64(2), to: 40, by: 2) {
            put(unique, 0)
            #expect(look(HangWatch.patience) == nil)
        }
        put(0, 0)
        #expect(look(3 * HangWatch.patience) == nil)
        // The kernel does not use a number twice; a thread may get the same one again, though,
        // if it is sent again.
        put(38, 0)
        #expect(look(HangWatch.patience) == nil)
    }

    @Test func silenceIsFound() {
        var looks = 0
        while !watch.isToAsk {
            #expect(watch.look(at: []) == nil)
            looks += 1
        }
        #expect(looks == HangWatch.pause)
        watch.asked()
        #expect(!watch.isToAsk)
        for _ in 1..<HangWatch.patience { #expect(watch.look(at: []) == nil) }
        #expect(watch.look(at: []) == .silence)
        // Late, but there.
        watch.answered()
        #expect(watch.look(at: []) == nil)
    }

    @Test func whoAnswersIsAskedAgain() {
        #expect(look(100 * HangWatch.patience) == nil)
    }
}
