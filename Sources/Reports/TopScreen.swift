import Control

/// The text of `lxcfsd top`: a line about the daemon, a heading, a line for each container.
public struct TopScreen {
    public let status: DaemonStatus
    public let rows: [UsageRow]
    public let order: UsageOrder

    public init(_ status: DaemonStatus, _ rows: [UsageRow], by order: UsageOrder) {
        self.status = status
        self.rows = order.sort(rows)
        self.order = order
    }

    private struct Column: Sendable {
        let title: String
        /// Where there is no room for all, those with the lowest number stay.
        let rank: Int
        let cell: @Sendable (UsageRow) -> String
    }

    private static let columns = [
        Column(title: "ID", rank: 0) { $0.id },
        Column(title: "CPU%", rank: 1) { number($0.cpu, digits: 1) },
        Column(title: "CPUS", rank: 6) { $0.cpus.map(Self.cpus) ?? "-" },
        Column(title: "USED", rank: 2) { $0.used.map(size) ?? "-" },
        Column(title: "MEM", rank: 3) { $0.total.map(size) ?? "-" },
        Column(title: "MEM%", rank: 4) { number($0.memory, digits: 1) },
        Column(title: "LOAD", rank: 5) { number($0.load?.first, digits: 2) },
        Column(title: "LOAD5", rank: 11) { number($0.load?.dropFirst().first, digits: 2) },
        Column(title: "LOAD15", rank: 12) { number($0.load?.dropFirst(2).first, digits: 2) },
        Column(title: "P-CPU%", rank: 8) { number($0.pressure["cpu"], digits: 1) },
        Column(title: "P-MEM%", rank: 9) { number($0.pressure["memory"], digits: 1) },
        Column(title: "P-IO%", rank: 10) { number($0.pressure["io"], digits: 1) },
        Column(title: "UP", rank: 7) { duration($0.uptime) },
    ]

    private static func number(_ value: Double?, digits: Int) -> String {
        value.map { decimal($0, digits: digits) } ?? "-"
    }

    /// `2`, `1.5`, `0.25`.
    private static func cpus(_ value: Double) -> String {
        var text = decimal(value, digits: 2)
        while text.hasSuffix("0"), text.contains(".") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    /// - Parameters:
    ///   - width: columns of the terminal; nil for as many as there are.
    ///   - height: lines of the terminal; nil for all containers.
    /// - Returns: no line is wider than that, and there are no more.
    public func lines(width: Int? = nil, height: Int? = nil) -> [String] {
        let most = height.map { max($0 - 2, 0) } ?? rows.count
        var shown = Array(rows.prefix(most))
        if let width {
            // A name that somebody has made long must not push the numbers away.
            let widest = min(max(width / 4, 12), 36)
            for place in shown.indices {
                shown[place].id = PlainText.cut(shown[place].id, to: widest)
            }
        }
        var columns = Self.columns
        if rows.allSatisfy(\.pressure.isEmpty) {
            columns.removeAll { $0.title.hasPrefix("P-") }
        }
        var lines = table(shown, columns)
        // One after the other goes until it fits.
        while let width, columns.count > 1, lines.contains(where: { $0.count > width }),
            let last = columns.map(\.rank).max()
        {
            columns.removeAll { $0.rank == last }
            lines = table(shown, columns)
        }
        lines.insert(summary(hidden: rows.count - shown.count), at: 0)
        if let width { lines = lines.map { PlainText.cut($0, to: width) } }
        return height.map { Array(lines.prefix($0)) } ?? lines
    }

    private func table(_ shown: [UsageRow], _ columns: [Column]) -> [String] {
        let cells = shown.map { row in columns.map { $0.cell(row) } }
        return TextTable(
            [columns.map(\.title)] + cells, [.left] + columns.dropFirst().map { _ in .right }
        ).lines
    }

    private func summary(hidden: Int) -> String {
        var parts = [
            "lxcfsd \(PlainText.escape(status.version)), up \(duration(status.uptime))",
            "\(rows.count) container\(rows.count == 1 ? "" : "s")"
                + (hidden > 0 ? " (\(hidden) not shown)" : ""),
            "by \(order.rawValue)",
        ]
        if let deaths = status.workerDeaths, deaths > 0 {
            parts.append("worker deaths: \(deaths)")
        }
        if status.passesThrough == true { parts.append("containers are shown the host") }
        return parts.joined(separator: "; ")
    }
}
