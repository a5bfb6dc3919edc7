import Control
import Testing

@testable import Reports

/// `lxcfsd top`, letter by letter.
@Suite struct TopGoldenTests {
    /// Two seconds later.
    private func rows(_ shortIDs: ShortIDs? = nil) -> [UsageRow] {
        let busy = Sample.usage(Sample.long, cpuTime: 2_400_000_000, readAt: 2_000_000_000)
        var large = Sample.usage("large", cpuTime: 20_000_000, readAt: 2_000_000_000)
        large.memoryTotal = 32 << 30
        large.memoryAvailable = 1 << 30
        large.cpuQuota = nil
        large.load = [12.34, 10, 9.99]
        var unknown = ContainerUsage()
        unknown.id = "ends\u{1b}]0;now\u{7}\u{202e}"
        unknown.pid = 9
        return [
            UsageRow(unknown, before: nil, shortIDs: shortIDs),
            UsageRow(large, before: Sample.usage("large"), shortIDs: shortIDs),
            UsageRow(busy, before: Sample.usage(Sample.long), shortIDs: shortIDs),
        ]
    }

    private func text(_ order: UsageOrder, _ width: Int? = nil, _ height: Int? = nil) -> String
    {
        let screen = TopScreen(
            Sample.status, rows(ShortIDs([Sample.long, "large"])), by: order)
        return screen.lines(width: width, height: height).map { $0 + "\n" }.joined()
    }

    @Test func asPlainText() throws { try expectGolden(text(.cpu), "top") }

    @Test func onTerminals() throws {
        let widths = [120, 80, 60, 40, 20, 5]
        let texts = widths.map { "--- \($0) columns\n" + text(.memory, $0, 24) }
        try expectGolden(texts.joined(), "top-narrow")
    }

    @Test(arguments: 0...140) func noLineIsWiderThanTheTerminal(_ width: Int) {
        for line in text(.cpu, width, 10).split(separator: "\n") {
            #expect(line.count <= width)
        }
    }

    @Test(arguments: 0...6) func thereAreNoMoreLinesThanTheTerminalHas(_ height: Int) {
        let screen = TopScreen(Sample.status, rows(), by: .cpu)
        let lines = screen.lines(width: 80, height: height)
        #expect(lines.count == min(height, 5))
        if height > 2, height < 5 {
            #expect(lines[0].contains("(\(5 - height) not shown)"))
        }
    }

    @Test func cpuIsOfTheQuota() throws {
        // 2.4 s in 2 s, of 1.5 CPUs.
        let row = try #require(rows().last)
        #expect(row.cpu.map { abs($0 - 80) < 0.001 } == true)
        #expect(row.used == 64 << 20)
    }

    @Test func aContainerThatHasAnothersNameBeginsAnew() {
        var before = Sample.usage("web", cpuTime: 9_000_000_000)
        before.pid = 6
        let now = Sample.usage("web", cpuTime: 10_000_000_000, readAt: 1_000_000_000)
        #expect(UsageRow(now, before: before, shortIDs: nil).cpu == nil)
        // Nor does a counter that runs backwards make a number.
        before.pid = 7
        before.cpuTime = 11_000_000_000
        #expect(UsageRow(now, before: before, shortIDs: nil).cpu == nil)
    }

    @Test(arguments: UsageOrder.allCases) func whatIsNotKnownComesLast(_ order: UsageOrder) {
        let sorted = order.sort(rows()).map(\.id)
        if order != .id { #expect(sorted.last?.hasPrefix("ends") == true) }
        #expect(sorted.count == 3)
    }

    @Test func keysAreDifferent() {
        let keys = UsageOrder.allCases.map(\.key) + [UInt8(ascii: "q"), UInt8(ascii: " ")]
        #expect(Set(keys).count == keys.count)
    }
}
