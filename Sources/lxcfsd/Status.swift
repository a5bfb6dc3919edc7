import ArgumentParser
import Control

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
        var table = [
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
        ]
        if let files = status.openFiles {
            table.append(["open files", openFiles(files, refused: status.refusedOpens ?? 0)])
        }
        if let count = status.unwrittenStates, count > 0 {
            table.append(["not written", "the state of \(count) containers"])
        }
        printTable(table)
    }
}

private func openFiles(_ count: Int, refused: UInt64) -> String {
    refused > 0 ? "\(count) (refused \(refused) times)" : "\(count)"
}

private func workers(_ status: DaemonStatus) -> String {
    guard let pid = status.worker else { return "-" }
    let count = status.workers ?? 1
    let shown = status.passesThrough == true ? ", shows containers the host" : ""
    return "\(pid) (number \(count))" + shown
}
