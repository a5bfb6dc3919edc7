import ArgumentParser
import Control
import Glibc
import Reports
import Syscalls

struct Metrics: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print metrics as OpenMetrics text.",
        discussion: """
            For the textfile collector of node_exporter: let a timer call \
            "lxcfsd metrics --output /var/lib/prometheus/node-exporter/lxcfsd.prom". If the daemon \
            does not answer, lxcfsd_up is 0, and the exit code as well.
            """)

    @OptionGroup var query: SocketOptions

    @Option(
        name: .shortAndLong,
        help:
            "Write to this file, which is there as a whole or not at all, and not to standard output."
    )
    var output: String?

    @Option(
        help: "Also metrics of so many containers at most, those that were started first.",
        transform: Metrics.count)
    var containers = 0

    static func count(_ text: String) throws -> Int {
        guard let count = Int(text), (0...100_000).contains(count) else {
            throw ValidationError("--containers takes 0 to 100000")
        }
        return count
    }

    func run() throws {
        let text = MetricFamily.text(try families())
        guard let output else { return try Output.write(text) }
        try ReplacedFile.write(text, to: output)
    }

    /// - Returns: nil if the daemon is not there, or does not answer.
    private func status() throws(ControlError) -> DaemonStatus? {
        do {
            return try query.askStatus()
        } catch {
            switch error {
            case .absent(let reason) where [ENOENT, ECONNREFUSED].contains(reason.errno):
                return nil
            case .broken: return nil
            default: throw error
            }
        }
    }

    private func families() throws -> [MetricFamily] {
        guard let status = try status() else { return DaemonMetrics.families(nil) }
        var processes = [DaemonProcess.figures(status.pid, role: "keeper")]
        if let worker = status.worker {
            processes.append(DaemonProcess.figures(worker, role: "worker"))
        }
        let families = DaemonMetrics.families(status, processes.compactMap(\.self))
        if containers == 0 { return families }
        return families
            + ContainerMetrics.families(
                try query.askUsage(watchesLoad: false), limit: containers)
    }
}
