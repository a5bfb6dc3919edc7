import ArgumentParser
import Control

struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the containers that are served.")

    @OptionGroup var query: QueryOptions

    func run() throws {
        let containers = try query.ask(.list).containers ?? []
        if query.json {
            query.printJSON(containers)
            return
        }
        let rows = containers.map { container in
            [
                container.id, "\(container.pid)", duration(container.uptime),
                container.cpus.map { "\($0)" } ?? "-",
                container.memoryTotal.map(size) ?? "-", container.cgroup,
            ]
        }
        printTable([["ID", "PID", "UP", "CPUS", "MEMORY", "CGROUP"]] + rows)
    }
}

private func size(_ bytes: UInt64) -> String {
    bytes >= 10 << 30 ? "\(bytes >> 30)G" : "\(bytes >> 20)M"
}
