import KernelText

/// A set of CPU numbers in ascending order, as in `cpuset.cpus` and
/// `/sys/devices/system/cpu/online` (cpuset(7), "List format").
public struct CPUList: Equatable, Sendable {
    /// The numbers, ascending, each once.
    public private(set) var cpus: [Int]

    /// Larger numbers than any kernel is built for are taken as garbage.
    static let highest = 1 << 16

    public init(_ cpus: [Int]) {
        self.cpus = Array(Set(cpus)).sorted()
    }

    /// Parses `0-3,8,10-11`; an empty text is the empty set, anything else nil.
    public init?(parsing text: Bytes) {
        var scanner = Scanner(text.trimmed)
        var found: [Int] = []
        while !scanner.atEnd {
            guard let first = scanner.number(), first <= Self.highest else { return nil }
            var last = first
            if scanner.skip(UInt8(ascii: "-")) {
                guard let end = scanner.number(), end >= first, end <= Self.highest else {
                    return nil
                }
                last = end
            }
            // No kernel lists a CPU again and again.
            guard found.count <= 2 * Self.highest else { return nil }
            found.append(contentsOf: Int(first)...Int(last))
            if !scanner.atEnd, !scanner.skip(UInt8(ascii: ",")) { return nil }
        }
        self.init(found)
    }

    public init?(parsing text: String) {
        let bytes = Array(text.utf8)
        guard let list = bytes.withUnsafeBufferPointer(CPUList.init(parsing:)) else {
            return nil
        }
        self = list
    }

    public var count: Int { cpus.count }
    public var isEmpty: Bool { cpus.isEmpty }

    public func contains(_ cpu: Int) -> Bool { index(of: cpu) != nil }

    /// The position of `cpu` in the set: its number in a container that sees only the set.
    public func index(of cpu: Int) -> Int? {
        var low = 0
        var high = cpus.count
        while low < high {
            let middle = (low + high) / 2
            if cpus[middle] < cpu { low = middle + 1 } else { high = middle }
        }
        return low < cpus.count && cpus[low] == cpu ? low : nil
    }

    public func intersection(_ other: CPUList) -> CPUList {
        CPUList(cpus.filter(other.contains))
    }

    public func prefix(_ count: Int) -> CPUList {
        var result = self
        result.cpus = Array(cpus.prefix(count))
        return result
    }

    /// The list format, without a newline: `0-3,8`.
    public var text: String {
        var parts: [String] = []
        var start = 0
        while start < cpus.count {
            var end = start
            while end + 1 < cpus.count, cpus[end + 1] == cpus[end] + 1 { end += 1 }
            parts.append(start == end ? "\(cpus[start])" : "\(cpus[start])-\(cpus[end])")
            start = end + 1
        }
        return parts.joined(separator: ",")
    }
}
