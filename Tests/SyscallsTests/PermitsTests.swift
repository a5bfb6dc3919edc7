import Syscalls
import Testing

@Suite struct PermitsTests {
    @Test func waitsForOneThatComes() throws {
        let permits = Permits(1)
        #expect(permits.take(within: 0))
        try startThread("giver") {
            sleep(until: Clock.monotonic() + 20_000_000)
            permits.give()
        }
        #expect(permits.take(within: 10_000_000_000))
    }

    @Test func waitsAsLongAsItIsTold() {
        let permits = Permits(0)
        let start = Clock.monotonic()
        #expect(!permits.take(within: 30_000_000))
        let time = Clock.monotonic() - start
        #expect(time >= 30_000_000)
        #expect(time < 10_000_000_000)
    }
}
