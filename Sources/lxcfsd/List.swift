import ArgumentParser
import Control
import Reports

struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the containers that are served.",
        discussion: "\"lxcfsd top\" shows what they use.")

    @OptionGroup var query: QueryOptions

    @Flag(help: "Show whole ids and cgroups. JSON always has them.")
    var noTrunc = false

    func run() throws {
        let containers = try query.socket.ask(.list).containers ?? []
        if query.json { return try query.printJSON(containers) }
        let shortIDs = noTrunc ? nil : ShortIDs(containers.map(\.id))
        let rows = containers.map { container in
            [
                shortIDs?.short(container.id) ?? container.id, "\(container.pid)",
                duration(container.uptime), container.cpus.map { "\($0)" } ?? "-",
                container.memoryTotal.map(size) ?? "-",
                noTrunc ? container.cgroup : ShortIDs.shortened(path: container.cgroup),
            ].map(PlainText.escape)
        }
        let table = TextTable([["ID", "PID", "UP", "CPUS", "MEMORY", "CGROUP"]] + rows)
        try Output.write(table.lines.map { $0 + "\n" }.joined())
    }
}
