import Cgroups

/// The host's memory, as far as it bounds what a container is shown. In bytes.
public struct HostMemory: Equatable, Sendable {
    public var total: UInt64 = 0
    public var free: UInt64 = 0
    public var available: UInt64 = 0
    public var swapTotal: UInt64 = 0
    public var swapFree: UInt64 = 0
    public var commitLimit: UInt64 = 0
    public var committed: UInt64 = 0
    /// Pages of the default size.
    public var hugePages: UInt64 = 0
    public var hugePagesFree: UInt64 = 0
    public var hugePageSize: UInt64 = 0

    public init() {}

    /// What of a container's memory can be other than 0.
    public var parts: MemoryParts {
        var parts: MemoryParts = []
        if swapTotal > 0 { parts.insert(.swap) }
        if hugePages > 0 { parts.insert(.hugePages) }
        return parts
    }

    /// Parses the text of `/proc/meminfo`.
    public init(meminfo text: Bytes) {
        var lines = Scanner(text)
        var next = 0
        while let line = lines.line() {
            let colon = line.firstIndex(of: UInt8(ascii: ":"), from: 0)
            guard let value = parseNumber(line.part(min(colon + 1, line.count)..<line.count))
            else { continue }
            let bytes = value.multipliedReportingOverflow(by: 1024).partialValue
            let field = MeminfoField(line.part(0..<colon), from: next)
            if let field { next = field.rawValue + 1 }
            switch field {
            case .memTotal: total = bytes
            case .memFree: free = bytes
            case .memAvailable: available = bytes
            case .swapTotal: swapTotal = bytes
            case .swapFree: swapFree = bytes
            case .commitLimit: commitLimit = bytes
            case .committed: committed = bytes
            case .hugePagesTotal: hugePages = value
            case .hugePagesFree: hugePagesFree = value
            case .hugePageSize: hugePageSize = bytes
            default: break
            }
        }
    }
}

/// The sizes that a container is shown: the one model behind `/proc/meminfo`,
/// `/proc/swaps` and whatever else tells about memory. In bytes.
///
/// `free + cached <= total`, `available <= total` and `swapFree <= swapTotal` always hold, and
/// nothing is more than the host has.
public struct MemoryView: Equatable, Sendable {
    public let total: UInt64
    public let free: UInt64
    public let available: UInt64
    /// Page cache, shmem included.
    public let cached: UInt64
    public let swapTotal: UInt64
    public let swapFree: UInt64

    /// - Parameter swap: false hides all swap (`--disable-swap`).
    public init(_ facts: MemoryFacts, host: HostMemory, swap: Bool = true) {
        let stat = facts.stat
        total = max(min(facts.limit ?? .max, host.total), 1024)
        let pageCache = clampedSum(stat.bytes(.activeFile), stat.bytes(.inactiveFile))
        // Without a limit the container competes with everybody else for what is free.
        let headroom = facts.headroom ?? clampedDifference(host.total, facts.usage)
        // The container can take what the host has free, and the place of its own cache as
        // far as the host can give it up.
        let obtainable = max(host.free, min(clampedSum(host.free, pageCache), host.available))
        free = min(headroom, obtainable, total)
        cached = min(stat.bytes(.file), total - free)
        let reclaimable = clampedSum(pageCache, stat.bytes(.slabReclaimable))
        available = min(clampedSum(free, reclaimable), total, host.available)

        guard swap, facts.swapAccounted else {
            swapTotal = 0
            swapFree = 0
            return
        }
        swapTotal = min(facts.swapLimit ?? .max, host.swapTotal)
        let unused = clampedDifference(swapTotal, facts.swapUsage)
        swapFree = min(unused, facts.swapHeadroom ?? .max, host.swapFree)
    }

    /// Swap that the container cannot use any more.
    public var swapUsed: UInt64 { swapTotal - swapFree }
}
