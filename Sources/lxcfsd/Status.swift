import ArgumentParser
import Control
import Reports

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell what the daemon is and does.")

    @OptionGroup var query: QueryOptions

    func run() throws {
        let status = try query.socket.askStatus()
        if query.json { return try query.printJSON(status) }
        let rows = StatusTable.rows(status).map { $0.map(PlainText.escape) }
        try Output.write(TextTable(rows).lines.map { $0 + "\n" }.joined())
    }
}
