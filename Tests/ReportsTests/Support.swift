import Control
import Foundation
import Testing

/// The top of this repository.
let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// Compares a text with a file of `Golden`. After an intended change:
/// `UPDATE_GOLDEN=1 Tests/unit --filter Golden`, and look at the difference.
func expectGolden(_ text: String, _ name: String) throws {
    let golden = repository.appendingPathComponent("Tests/ReportsTests/Golden/\(name)")
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil {
        try text.write(to: golden, atomically: true, encoding: .utf8)
    }
    let expected = try String(contentsOf: golden, encoding: .utf8)
    #expect(text == expected)
}

/// The rows of the table behind a heading of docs/operations.md, without the first two: cells without
/// the marks of `code`.
func documentedTable(_ heading: String) throws -> [[String]] {
    let path = repository.appendingPathComponent("docs/operations.md")
    let text = try String(contentsOf: path, encoding: .utf8)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex(of: Substring(heading)), "no \(heading)")
    let table = lines[(start + 1)...].drop { !$0.hasPrefix("|") }.prefix { $0.hasPrefix("|") }
    return table.dropFirst(2).map { line in
        line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false).map
        {
            $0.trimmingCharacters(in: CharacterSet(charactersIn: " `"))
        }
    }
}

/// What a daemon might say.
enum Sample {
    static let long = String(repeating: "0123456789abcdef", count: 4)

    static var status: DaemonStatus {
        var status = DaemonStatus(
            version: "1.2.3", pid: 100, uptime: 93_784.25, mountpoint: "/var/lib/lxcfs",
            cgroupVersion: "v2", containers: 2, coherence: 10,
            requests: [
                "read": 7, "getattr": 9, "lookup": 0, "store": 5, "hasty": 3, "calls": 11,
                "passed": 2,
            ],
            listeners: 4)
        status.worker = 101
        status.workers = 6
        status.workerDeaths = 2
        status.upgrades = 3
        status.passesThrough = false
        status.openFiles = 8
        status.refusedOpens = 1
        status.unwrittenStates = 0
        return status
    }

    static func usage(_ id: String, cpuTime: UInt64 = 0, readAt: UInt64 = 0) -> ContainerUsage {
        var usage = ContainerUsage()
        usage.id = id
        usage.pid = 7
        usage.uptime = 61.5
        usage.cpus = 2
        usage.cpuQuota = 1.5
        usage.cpuTime = cpuTime
        usage.readAt = readAt
        usage.memoryTotal = 256 << 20
        usage.memoryAvailable = 192 << 20
        usage.swapTotal = 64 << 20
        usage.swapFree = 32 << 20
        usage.tasks = 3
        usage.load = [0.5, 0.25, 0.05]
        usage.pressure = ["cpu": 12.5, "memory": 0, "io": 1.25]
        return usage
    }
}
