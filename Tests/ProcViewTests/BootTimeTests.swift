import KernelText
import Syscalls
import Testing

@testable import ProcView

private let second: Int64 = 1_000_000_000

@Suite struct BootTimeTests {
    /// A machine that was booted at 1,700,000,000.4 and has been up for 1000.9 s.
    private func seconds(_ offset: Int64, host: UInt64 = 1_700_000_000) -> UInt64 {
        BootTime(
            offset: offset, realtime: 1_700_001_001_300_000_000, boottime: 1_000_900_000_000
        ).seconds(host: host)
    }

    /// What timens_sub_boottime() makes of 1,700,000,000.4.
    @Test(
        arguments: [
            (Int64(0), UInt64(1_700_000_000)),
            (-1000 * second, 1_700_001_000),
            (-1000 * second - 599_999_999, 1_700_001_000),
            (-1000 * second - 600_000_000, 1_700_001_001),
            (5 * second, 1_699_999_995),
            (400_000_000, 1_700_000_000), (400_000_001, 1_699_999_999),
        ] as [(Int64, UInt64)])
    func isTheHostsLessTheOffset(_ offset: Int64, _ expected: UInt64) {
        #expect(seconds(offset) == expected)
    }

    @Test func beforeTheEpochItWrapsAsTheKernelsDoes() {
        #expect(seconds(1_700_000_001 * second) == UInt64(bitPattern: -1))
        #expect(seconds(1_700_000_000 * second) == 0)
    }

    /// The clocks are read one after the other, so what they say may lie in the second beside.
    @Test func whatTheHostSaysDecidesTheSecond() {
        #expect(seconds(-10 * second, host: 1_700_000_001) == 1_700_000_011)
        #expect(seconds(-10 * second, host: 1_699_999_999) == 1_700_000_009)
    }

    @Test(arguments: [UInt64.max, UInt64(Int64.max / second), 1 << 60])
    func numbersOutOfRangeStayTheHosts(_ host: UInt64) {
        #expect(seconds(-10 * second, host: host) == host)
    }

    @Test func isALineOfStat() {
        let time = BootTime(
            offset: -1000 * second, realtime: 1_700_001_001_300_000_000,
            boottime: 1_000_900_000_000)
        let host = "cpu  1 2 3 4\ncpu0 1 2 3 4\nintr 5 6\nbtime 1700000000\nprocesses 9\n"
        let shown = TextBuffer()
        withBytes(host) { renderHostStat(time, host: $0, into: shown) }
        #expect(shown.string == host.replacing("1700000000", with: "1700001000"))
        let out = TextBuffer()
        withBytes(host) {
            Stat(
                ledger: CPULedger(), processes: 1, running: 1, blocked: 0, bootTime: time
            ).render(host: $0, into: out)
        }
        #expect(out.string == "cpu  0 0 0 0\nintr 0 0\nbtime 1700001000\nprocesses 1\n")
    }
}
