import Control

/// One container as `lxcfsd top` shows it. What is nil is not known.
public struct UsageRow {
    /// Printable.
    public var id = ""
    /// Seconds.
    public var uptime = 0.0
    /// CPU time between two looks, in per cent of what the container may have: its quota, or the
    /// CPUs that it sees.
    public var cpu: Double?
    /// CPUs' time that it may have.
    public var cpus: Double?
    /// Bytes: what `free` calls used, MemTotal - MemAvailable.
    public var used: UInt64?
    /// MemTotal, in bytes.
    public var total: UInt64?
    public var load: [Double]?
    /// In per cent, by `cpu`, `memory`, `io`.
    public var pressure: [String: Double] = [:]

    /// - Parameters:
    ///   - now: what the container uses.
    ///   - before: the same at an earlier look; nil if there was none.
    public init(_ now: ContainerUsage, before: ContainerUsage?, shortIDs: ShortIDs?) {
        id = PlainText.escape(shortIDs?.short(now.id) ?? now.id)
        uptime = now.uptime
        cpus = Self.allowed(now)
        total = now.memoryTotal
        if let total = now.memoryTotal, let available = now.memoryAvailable {
            used = total >= available ? total - available : 0
        }
        load = now.load
        pressure = now.pressure ?? [:]
        // Another container may have its name meanwhile.
        guard let before, before.pid == now.pid, let cpus, cpus > 0,
            let from = before.cpuTime, let to = now.cpuTime, to >= from,
            now.readAt > before.readAt
        else { return }
        cpu = Double(to - from) / Double(now.readAt - before.readAt) / cpus * 100
    }

    /// The smaller one of quota and CPUs.
    private static func allowed(_ usage: ContainerUsage) -> Double? {
        let cpus = usage.cpus.map { Double($0) }
        guard let quota = usage.cpuQuota else { return cpus }
        return cpus.map { min($0, quota) } ?? quota
    }

    /// In per cent.
    var memory: Double? {
        guard let used, let total, total > 0 else { return nil }
        return Double(used) / Double(total) * 100
    }

    var highestPressure: Double? { pressure.values.max() }
}

/// By what `lxcfsd top` sorts; the largest first, names in their order.
public enum UsageOrder: String, CaseIterable, Sendable {
    case cpu, memory, load, pressure, uptime, id

    /// The key that chooses it on a terminal: the first letter of its name.
    public var key: UInt8 { rawValue.utf8.first ?? 0 }

    public func sort(_ rows: [UsageRow]) -> [UsageRow] {
        rows.sorted { one, other in
            let (first, second) = (value(of: one), value(of: other))
            if first != second { return first > second }
            return one.id < other.id
        }
    }

    private func value(of row: UsageRow) -> Double {
        let value: Double? =
            switch self {
            case .cpu: row.cpu
            case .memory: row.used.map { Double($0) }
            case .load: row.load?.first
            case .pressure: row.highestPressure
            case .uptime: row.uptime
            case .id: 0
            }
        return value ?? -1
    }
}
