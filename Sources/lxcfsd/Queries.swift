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

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell what the daemon is and does.")

    @OptionGroup var query: QueryOptions

    func run() throws {
        guard let status = try query.ask(.status).status else {
            throw ControlError.garbled("no status in it")
        }
        if query.json {
            query.printJSON(status)
            return
        }
        let requests = status.requests.sorted { $0.key < $1.key }
            .map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        printTable([
            ["version", status.version],
            ["pid", "\(status.pid)"],
            ["worker", workers(status)],
            ["up", duration(status.uptime)],
            ["mountpoint", status.mountpoint],
            ["cgroup", status.cgroupVersion],
            ["containers", "\(status.containers)"],
            ["listeners", status.listeners.map { "\($0)" } ?? "-"],
            ["coherence", "\(status.coherence) ms"],
            ["requests", requests],
        ])
    }
}

private func workers(_ status: DaemonStatus) -> String {
    guard let pid = status.worker else { return "-" }
    let count = status.workers ?? 1
    let shown = status.passesThrough == true ? ", shows containers the host" : ""
    return "\(pid) (number \(count))" + shown
}

/// Prints rows in left-aligned columns that are as wide as their widest cell.
private func printTable(_ rows: [[String]]) {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
        rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    for row in rows {
        var line = ""
        for (column, cell) in row.enumerated() {
            line += cell
            if column + 1 < row.count {
                line += String(repeating: " ", count: widths[column] - cell.count + 2)
            }
        }
        print(line)
    }
}

private func duration(_ seconds: Double) -> String {
    let whole = Int(seconds)
    let (days, hours, minutes) = (whole / 86400, whole / 3600 % 24, whole / 60 % 60)
    if days > 0 { return "\(days)d\(hours)h" }
    if hours > 0 { return "\(hours)h\(minutes)m" }
    return minutes > 0 ? "\(minutes)m\(whole % 60)s" : "\(whole)s"
}

private func size(_ bytes: UInt64) -> String {
    bytes >= 10 << 30 ? "\(bytes >> 30)G" : "\(bytes >> 20)M"
}
