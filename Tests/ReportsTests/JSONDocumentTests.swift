import Control
import JSON
import Testing

@testable import Reports

/// docs/operations.md says which keys `--json` has, and of which type.
@Suite struct JSONDocumentTests {
    private func keys(_ value: some FieldValue) throws -> [String: String] {
        guard case .object(let members) = try value.encode() else { return [:] }
        return Dictionary(
            uniqueKeysWithValues: members.map { ($0.key, Self.type($0.value)) })
    }

    private static func type(_ value: JSONValue) -> String {
        switch value {
        case .string: "string"
        case .bool: "bool"
        case .object: "object"
        case .array: "array"
        case .null: "null"
        default: "number"
        }
    }

    private func documented(_ heading: String) throws -> [String: String] {
        let rows = try documentedTable(heading)
        return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })
    }

    @Test func status() throws {
        #expect(try keys(Sample.status) == documented("#### status --json"))
    }

    @Test func list() throws {
        let container = ContainerSummary(
            id: "a", pid: 1, uptime: 1, cgroup: "/a", cpus: 1, memoryTotal: 1, isRunning: true,
            name: "b")
        #expect(try keys(container) == documented("#### list --json"))
    }

    /// Who raises the number says so there.
    @Test func theSchemaIsTheDocumentsOne() throws {
        #expect(Sample.status.schema == Schema.current)
        let row = try #require(
            try documentedTable("#### status --json").first { $0[0] == "schema" })
        #expect(row[2].contains(" \(Schema.current)"))
    }

    /// What `top` asks comes back whole.
    @Test func usageIsReadAsItWasWritten() throws {
        let usage = Sample.usage("a", cpuTime: .max, readAt: .max)
        var reply = Reply()
        reply.usage = [usage]
        reply.next = 5
        let line = encodeLine(reply)
        #expect(try Reply(JSONText(line, keepsUnknown: false).root) == reply)
    }
}

@Suite struct StatusTableTests {
    @Test func saysInWordsWhatTheDaemonDoes() throws {
        let lines = TextTable(StatusTable.rows(Sample.status)).lines
        try expectGolden(lines.map { $0 + "\n" }.joined(), "status")
    }

    @Test func anOlderDaemonsStatusIsShown() {
        var status = DaemonStatus()
        status.worker = 5
        status.workers = 3
        let text = TextTable(StatusTable.rows(status)).lines.joined(separator: "\n")
        #expect(text.contains("process 5; there were 2 before it"))
        #expect(text.contains("not answered"))
    }
}
