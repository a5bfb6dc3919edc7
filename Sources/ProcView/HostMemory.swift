import Cgroups
import KernelText

/// The host's memory, as far as it bounds what a container is shown. In bytes.
public struct HostMemory: Equatable, Sendable {
    public var total: UInt64 = 0
    public var free: UInt64 = 0
    public var available: UInt64 = 0
    public var swapTotal: UInt64 = 0
    public var swapFree: UInt64 = 0
    public var commitLimit: UInt64 = 0
    public var committed: UInt64 = 0
    /// What sums are shown of: no summand may be more than the host's.
    public var activeAnon: UInt64 = 0
    public var inactiveAnon: UInt64 = 0
    public var activeFile: UInt64 = 0
    public var inactiveFile: UInt64 = 0
    public var slabReclaimable: UInt64 = 0
    public var slabUnreclaimable: UInt64 = 0
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
            case .activeAnon: activeAnon = bytes
            case .inactiveAnon: inactiveAnon = bytes
            case .activeFile: activeFile = bytes
            case .inactiveFile: inactiveFile = bytes
            case .sReclaimable: slabReclaimable = bytes
            case .sUnreclaim: slabUnreclaimable = bytes
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
