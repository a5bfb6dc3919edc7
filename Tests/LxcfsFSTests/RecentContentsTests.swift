import Glibc
import KernelText
import Syscalls
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsPageCache

@Suite struct RecentContentsTests {
    private let node = NodeID(slot: 0, file: 19)
    private let payer = Payer(number: 0xf000_0001)

    private func snapshot(_ text: String, at time: UInt64) -> Snapshot {
        Array(text.utf8).withUnsafeBufferPointer { Snapshot($0, time: time) }
    }

    @Test func aPaceAllowsABurstAndThenSoMuchPerSecond() {
        var pace = Pace(Pace.Limit(burst: 10, perSecond: 100), now: 1_000)
        func taken(_ now: UInt64) -> Int { (0..<20).count { _ in pace.take(now: now) } }
        #expect(taken(1_000) == 10)
        #expect(taken(9_000_000) == 0)
        #expect(taken(50_001_000) == 5)
        let isFull = pace.isFull(now: 50_001_000)
        #expect(!isFull)
        // A clock that has gone back gives nothing.
        #expect(taken(0) == 0)
        let isFullAgain = pace.isFull(now: .max)
        #expect(isFullAgain)
        #expect(taken(.max) == 10)
    }

    @Test func whoOpensTooOftenSharesWhatIsYoung() throws {
        let recent = RecentContents()
        var made = 0
        func open(_ now: UInt64, _ payer: Payer, container: UInt64 = 7) throws -> String {
            let content = try recent.content(of: node, container, for: payer, now: now) {
                () throws(SystemError) in
                made += 1
                return snapshot("\(made)", at: now)
            }
            return content.bytes.string
        }
        // One second: as many as there is time for.
        for step in 0..<20_000 { _ = try open(1_000_000_000 + UInt64(step) * 50_000, payer) }
        #expect((1000...1300).contains(made))
        let before = made
        // Somebody else gets what shows this moment, of the same and of another container.
        #expect(try open(2_000_000_000, Payer(number: 0xf000_0002)) == "\(before + 1)")
        #expect(
            try open(2_000_000_000, Payer(number: 0xf000_0002), container: 8)
                == "\(before + 2)")
        // Nothing that is older than 0.1 s is shown, however often it is asked for.
        var asked = 0
        var times: [UInt64: Int] = [:]
        for step in 0..<3000 as Range<UInt64> {
            let now = 2_000_000_000 + step * 100_000
            let shown = try open(now, payer)
            if Int(shown) == made, times[UInt64(made)] == nil { times[UInt64(made)] = Int(now) }
            if let first = times[UInt64(shown) ?? 0] {
                #expect(Int(now) - first <= 100_000_000)
                asked += 1
            }
        }
        #expect(asked > 0)
    }

    @Test func whatIsOldIsForgotten() throws {
        let recent = RecentContents()
        let content = snapshot(String(repeating: "x", count: 10_000), at: 1_000_000_000)
        _ = try recent.content(of: node, 7, for: payer, now: 1_000_000_000) {
            () throws(SystemError) in content
        }
        #expect(recent.expire(now: 1_100_000_000))
        #expect(!recent.expire(now: 3_000_000_000))
    }

    @Test func aFailureIsTheCallersAndLeavesNothingBehind() throws {
        let recent = RecentContents()
        for _ in 0..<5 {
            #expect(throws: SystemError("read", "x", errno: ENODEV)) {
                try recent.content(of: node, 7, for: payer, now: 1) {
                    () throws(SystemError) in throw SystemError("read", "x", errno: ENODEV)
                }
            }
        }
        let text = try recent.content(of: node, 7, for: payer, now: 2) {
            () throws(SystemError) in snapshot("x", at: 2)
        }
        #expect(text.bytes.string == "x")
    }
}
