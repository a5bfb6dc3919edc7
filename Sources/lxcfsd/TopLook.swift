import Control
import Reports

/// Two looks at all containers: what they use now, and what they used then.
struct TopLook {
    private let command: Top
    private var before: [String: ContainerUsage] = [:]
    private var now: [ContainerUsage]
    private var status: DaemonStatus

    init(_ command: Top) throws {
        self.command = command
        now = try command.query.askUsage(watchesLoad: true)
        status = try command.query.askStatus()
    }

    mutating func update() throws {
        before = Dictionary(now.map { ($0.id, $0) }) { _, last in last }
        now = try command.query.askUsage(watchesLoad: true)
        status = try command.query.askStatus()
    }

    func screen(by order: UsageOrder) -> TopScreen {
        let shortIDs = command.noTrunc ? nil : ShortIDs(now.map(\.id))
        return TopScreen(
            status, now.map { UsageRow($0, before: before[$0.id], shortIDs: shortIDs) },
            by: order)
    }
}
