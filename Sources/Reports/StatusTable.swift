import Control

/// `lxcfsd status` as a table.
public enum StatusTable {
    /// A name and a value in each.
    public static func rows(_ status: DaemonStatus) -> [[String]] {
        let own: Set = ["calls", "passed", "hasty", "store"]
        let requests = status.requests.filter { !own.contains($0.key) && $0.value > 0 }
            .sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        var rows = [
            ["version", status.version],
            ["keeper", "process \(status.pid)"],
            ["worker", worker(status)],
            ["up", duration(status.uptime)],
            ["mountpoint", status.mountpoint],
            ["cgroups", status.cgroupVersion],
            ["containers", "\(status.containers)"],
            ["content is at most", "\(status.coherence) ms old"],
            ["FUSE requests", requests.isEmpty ? "none" : requests.joined(separator: ", ")],
        ]
        if let stores = status.requests["store"], stores > 0 {
            rows.append(["put into the page cache", "\(stores) contents"])
        }
        if let hasty = status.requests["hasty"], hasty > 0 {
            rows.append([
                "too many at once", "\(hasty) requests, refused or answered from memory",
            ])
        }
        if let files = status.openFiles {
            let refused = status.refusedOpens ?? 0
            rows.append([
                "open files", refused > 0 ? "\(files) (refused \(refused) times)" : "\(files)",
            ])
        }
        rows.append(["system calls", calls(status)])
        if let count = status.unwrittenStates, count > 0 {
            rows.append(["not written", "the state of \(count) containers"])
        }
        return rows
    }

    private static func worker(_ status: DaemonStatus) -> String {
        guard let pid = status.worker else { return "none" }
        var text = "process \(pid)"
        if let deaths = status.workerDeaths, let upgrades = status.upgrades {
            text += "; of those before it, \(deaths) died; upgrades: \(upgrades)"
        } else if let count = status.workers, count > 1 {
            text += "; there were \(count - 1) before it"
        }
        return status.passesThrough == true ? text + "; containers are shown the host" : text
    }

    private static func calls(_ status: DaemonStatus) -> String {
        guard let listeners = status.listeners else {
            return "not answered: the kernel cannot tell of them"
        }
        let answered = status.requests["calls"] ?? 0
        let passed = status.requests["passed"] ?? 0
        return "\(answered) answered, \(passed) left to the kernel; listening to \(listeners)"
    }
}
