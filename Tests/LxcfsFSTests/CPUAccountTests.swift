import Testing

@testable import LxcfsFS

@Suite struct CPUAccountTests {
    private let second: UInt64 = 1_000_000_000

    /// How much of `seconds` a container works that never stops asking.
    private func share(of seconds: UInt64, piece: UInt64) -> Double {
        let account = CPUAccount()
        var now = second
        var worked: UInt64 = 0
        while now < second * (seconds + 1) {
            if account.isOverdrawn { now += account.wait(now: now) }
            account.charge(piece, now: now)
            worked += piece
            now += piece / 2  // two threads at a time
        }
        return Double(worked) / Double(seconds * second)
    }

    @Test(arguments: [20_000, 300_000, 3_000_000]) func itGetsThreeQuartersOfACPU(piece: UInt64)
    {
        #expect((0.70...0.80).contains(share(of: 20, piece: piece)))
    }

    @Test func someIsInAdvance() {
        let account = CPUAccount()
        for _ in 0..<74 { account.charge(1_000_000, now: second) }
        #expect(!account.isOverdrawn)
        for _ in 0..<4 { account.charge(1_000_000, now: second) }
        #expect(account.isOverdrawn)
        #expect(account.wait(now: second) > 0)
        #expect(account.isOverdrawn)
        #expect(account.wait(now: 2 * second) == 0)
        #expect(!account.isOverdrawn)
    }

    @Test func noRequestWaitsLong() {
        let account = CPUAccount()
        account.charge(60 * second, now: second)
        #expect(account.wait(now: second) == CPUAccount.longestWait)
        // It does not pay for a minute.
        #expect(account.wait(now: 3 * second) == 0)
        account.charge(.max, now: 0)
        #expect(account.wait(now: 0) == CPUAccount.longestWait)
    }
}
