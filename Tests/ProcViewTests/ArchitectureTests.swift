import Cgroups
import Foundation
import KernelText
import Testing

@testable import ProcView

/// /proc/cpuinfo of architectures other than x86; see Fixtures/README.md.
@Suite struct ArchitectureTests {
    private func text(_ architecture: String) throws -> String {
        try String(
            contentsOf: repository.appendingPathComponent(
                "Tests/ProcViewTests/Fixtures/\(architecture)/cpuinfo"), encoding: .utf8)
    }

    private func render(_ text: String, _ cpus: [Int]) -> String {
        rendered(text) { Cpuinfo(visible: CPUList(cpus)).render(host: $0, into: $1) }
    }

    @Test(arguments: ["arm64", "s390x"]) func allCPUsAreTheHostsFile(_ name: String) throws {
        let text = try text(name)
        #expect(render(text, [0, 1, 2, 3]) == text)
    }

    @Test func someCPUsOfARM64() throws {
        let text = try text("arm64")
        let blocks = text.components(separatedBy: "\n\n")
        #expect(render(text, [1, 3]) == blocks[1] + "\n\n" + blocks[3] + "\n\n")
    }

    @Test func someCPUsOfS390X() throws {
        let text = try text("s390x")
        let lines = render(text, [1, 2, 3]).split(
            separator: "\n", omittingEmptySubsequences: false)
        func values(_ name: String) -> [Substring] {
            lines.filter { $0.hasPrefix(name) }.map { $0.drop { $0 != ":" }.dropFirst(2) }
        }
        #expect(values("# processors") == ["3"])
        #expect(
            lines.filter { $0.hasPrefix("processor ") }.map { $0.prefix { $0 != ":" } }
                == ["processor 1", "processor 2", "processor 3"])
        #expect(values("cpu number") == ["1", "2", "3"])
        // CPU 1 alone is left of the first package; 2 and 3 share the second.
        #expect(values("siblings") == ["1", "2", "2"])
        #expect(values("cpu cores") == ["1", "1", "1"])
        #expect(values("physical id") == ["0", "1", "1"])
        #expect(values("vendor_id") == ["IBM/S390"])
        // The summary, then an empty line before each CPU and none at the end.
        #expect(lines.filter(\.isEmpty).count == 4 && lines.last == "")
        #expect(lines[lines.count - 2] == "cpu MHz static  : 5200")
    }
}
