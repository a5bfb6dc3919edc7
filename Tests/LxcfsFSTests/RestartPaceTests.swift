import Testing

@testable import LxcfsKeeper

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
