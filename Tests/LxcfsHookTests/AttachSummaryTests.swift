import Testing

@testable import LxcfsHook

@Suite struct AttachSummaryTests {
    static let meminfo = Target(.proc, name: "meminfo")
    static let stat = Target(.proc, name: "stat")

    @Test func theSameTroubleIsToldOnce() {
        let summary = AttachSummary(
            [(Self.meminfo, .failed("no procfs")), (Self.stat, .failed("no procfs"))], [])
        #expect(!summary.isServed)
        #expect(
            LogTests.lines(.info) { summary.report(to: $0, failure: .warning) } == [
                "warning web: not attached: /proc/meminfo: no procfs (and 1 more)"
            ])
    }

    @Test func counts() {
        let targets = VirtualFile.allCases.targets(disks: { [] })
        let outcomes = zip(
            targets,
            [.attached, .replaced, .present, .skipped("it is the user's")] as [Outcome])
        let summary = AttachSummary(
            Array(outcomes), [Failure(target: .cpuDirectory, reason: "broken")])
        #expect(summary.isServed)
        #expect(
            LogTests.lines(.info) { summary.report(to: $0, failure: .error) } == [
                "error web: /sys/devices/system/cpu: broken",
                "info web: attached 2 files, 1 of them replaced, 1 already there, 1 failed",
            ])
    }

    @Test(
        arguments: [
            (.attached, true), (.replaced, true), (.present, true), (.stuck("raced"), true),
            (.skipped("covered"), false), (.failed("raced"), false),
        ] as [(Outcome, Bool)])
    func whoHasAFileIsServed(outcome: Outcome, isServed: Bool) {
        let summary = AttachSummary([(Self.meminfo, outcome)], [])
        #expect(summary.isServed == isServed)
        #expect(summary.isToBeServed(isAllOrNothing: false) == isServed)
        // A file that is stuck has not been replaced, which is a failure.
        let isWhole = isServed && outcome.failure == nil
        #expect(summary.isToBeServed(isAllOrNothing: true) == isWhole)
    }

    @Test func aMissingFileEndsTheServiceOnlyOfAllOrNothing() {
        let failures = [Failure(target: Self.stat, reason: "broken")]
        let summary = AttachSummary([(Self.meminfo, .attached)], failures)
        #expect(summary.isToBeServed(isAllOrNothing: false))
        #expect(!summary.isToBeServed(isAllOrNothing: true))
        let nothing = AttachSummary([], failures)
        #expect(!nothing.isToBeServed(isAllOrNothing: false))
    }

    @Test func news() {
        func summary(_ outcome: Outcome) -> AttachSummary {
            AttachSummary([(Self.meminfo, outcome)], [])
        }
        for outcome in [.attached, .replaced, .failed("raced"), .stuck("raced")] as [Outcome] {
            #expect(summary(outcome).hasNews)
            #expect(summary(outcome).isRenewed == (outcome == .replaced))
        }
        #expect(!summary(.present).hasNews)
        #expect(!summary(.skipped("covered")).hasNews)
    }
}
