import Control
import Testing

@testable import Reports

/// `lxcfsd metrics`, letter by letter.
@Suite struct MetricsGoldenTests {
    private var processes: [ProcessFigures] {
        var keeper = ProcessFigures(role: "keeper")
        keeper.cpu = 0.25
        keeper.residentMemory = 4096
        keeper.threads = 1
        keeper.openDescriptors = 20
        keeper.mostDescriptors = 1024
        var worker = keeper
        worker = ProcessFigures(role: "worker")
        worker.cpu = 12.5
        return [keeper, worker]
    }

    private var all: [MetricFamily] {
        DaemonMetrics.families(Sample.status, processes)
            + ContainerMetrics.families(
                [
                    Sample.usage(Sample.long, cpuTime: 1_500_000_000),
                    Sample.usage("a\"b\\\n\u{1b}[2J"), Sample.usage("third"),
                ], limit: 2)
    }

    @Test func everythingThatIsKnown() throws {
        try expectGolden(MetricFamily.text(all), "metrics")
    }

    @Test func aDaemonThatDoesNotAnswer() throws {
        try expectGolden(MetricFamily.text(DaemonMetrics.families(nil)), "metrics-down")
    }

    /// 0.1.0 has neither of these; a metric that is not known is not there.
    @Test func anOlderDaemon() {
        var status = DaemonStatus()
        status.version = "0.1.0"
        let text = MetricFamily.text(DaemonMetrics.families(status))
        #expect(text.contains("lxcfsd_up 1\n"))
        #expect(!text.contains("lxcfsd_worker_deaths"))
        #expect(text.hasSuffix("# EOF\n"))
    }

    @Test func namesAreThoseOfTheDocumentAndTheOtherWayRound() throws {
        let rows = try documentedTable("### Metrics")
        let documented = rows.map { "\($0[0]) \($0[1]) \($0[2])" }
        let told = all.map { family in
            "\(family.sampleName) \(family.kind.rawValue) \(family.unit ?? "")"
        }
        #expect(Set(documented) == Set(told))
        #expect(documented.count == told.count)
    }

    /// What the specification asks of names and units.
    @Test func aUnitIsTheEndOfTheName() {
        for family in all {
            if let unit = family.unit { #expect(family.name.hasSuffix("_" + unit)) }
            #expect(!family.name.hasSuffix("_total"))
            #expect(family.name.wholeMatch(of: /[a-z]+(_[a-z]+)*/) != nil)
        }
    }
}
