import Control
import Reports

/// Two looks at all containers: what they use now, and what they used then.
struct TopLook {
    private let settings: TopSettings
    private var before: [String: ContainerUsage] = [:]
    private var now: [ContainerUsage]
    private var status: DaemonStatus

    init(_ settings: TopSettings) throws {
        self.settings = settings
        now = try settings.query.askUsage(watchesLoad: true)
        status = try settings.query.askStatus()
    }

    mutating func update() throws {
        before = Dictionary(now.map { ($0.id, $0) }) { _, last in last }
        now = try settings.query.askUsage(watchesLoad: true)
        status = try settings.query.askStatus()
    }

    func screen(by order: UsageOrder) -> TopScreen {
        let shortIDs = settings.showsWholeIDs ? nil : ShortIDs(now.map(\.id))
        return TopScreen(
            status, now.map { UsageRow($0, before: before[$0.id], shortIDs: shortIDs) },
            by: order)
    }
}
