import OCISpec
import Testing

@testable import LxcfsHook

@Suite struct TimeNamespaceTests {
    private func config(_ linux: String) throws -> Config {
        try Config(json: Array(#"{"ociVersion":"1.2.0","linux":\#(linux)}"#.utf8))
    }

    private func objection(_ linux: String, sharesPID: Bool = false) throws -> String? {
        TimeNamespace.objection(try config(linux), sharesPIDNamespace: sharesPID)
    }

    /// Seconds are rounded down and nanoseconds added, as in the kernel's `timespec64`.
    @Test(
        arguments: [
            (UInt64(0), Int64(0), UInt32(0)), (12_000_000_000, -12, 0),
            (12_300_000_000, -13, 700_000_000), (1, -1, 999_999_999),
            (999_999_999, -1, 1), (UInt64(Int64.max), -9_223_372_037, 145_224_193),
        ] as [(UInt64, Int64, UInt32)])
    func takesTheClockBackToZero(_ boottime: UInt64, _ secs: Int64, _ nanosecs: UInt32) {
        let offset = TimeNamespace(boottime: boottime).offset
        #expect(offset.secs == secs)
        #expect(offset.nanosecs == nanosecs)
    }

    @Test func isAddedAndNothingElseChanges() throws {
        var config = try config(
            #"{"namespaces":[{"type":"pid"},{"type":"mount"}],"x":{"y":[1]},"maskedPaths":[]}"#)
        TimeNamespace(boottime: 5_500_000_000).add(to: &config)
        let text = String(decoding: try config.encoded(), as: UTF8.self)
        #expect(
            text == """
                {"linux":{"maskedPaths":[],"namespaces":[{"type":"pid"},{"type":"mount"},\
                {"type":"time"}],"timeOffsets":{"boottime":{"nanosecs":500000000,"secs":-6}},\
                "x":{"y":[1]}},"ociVersion":"1.2.0"}
                """)
        // Once is enough.
        #expect(TimeNamespace.objection(config, sharesPIDNamespace: false) != nil)
    }

    @Test func whoGetsNone() throws {
        let pid = #"{"type":"pid"}"#
        #expect(try objection(#"{"namespaces":[\#(pid)]}"#) == nil)
        #expect(try objection(#"{"namespaces":[\#(pid)]}"#, sharesPID: true) != nil)
        #expect(try objection(#"{"namespaces":[]}"#)?.contains("host's pid") == true)
        #expect(try objection("{}")?.contains("host's pid") == true)
        #expect(
            try objection(#"{"namespaces":[{"type":"pid","path":"/proc/7/ns/pid"}]}"#)?
                .contains("shares a pid namespace") == true)
        #expect(
            try objection(
                #"{"namespaces":[\#(pid),{"type":"time","path":"/proc/7/ns/time"}]}"#) != nil)
        #expect(
            try objection(
                #"{"namespaces":[\#(pid)],"timeOffsets":{"monotonic":{"secs":1}}}"#) != nil)
    }
}
