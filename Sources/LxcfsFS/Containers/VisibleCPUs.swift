import Cgroups
import KernelText
import ProcView

/// The CPUs that a container sees: those that are online for it. They have the kernel's numbers.
///
/// The lists are only made anew when what they depend on has changed.
struct VisibleCPUs {
    private(set) var list = CPUList([0])
    /// The CPUs on which it may run, visible or not: a quota hides CPUs, but does not keep the
    /// kernel from using them.
    private(set) var affinity = CPUList([0])
    private var cpuset: [UInt8]?
    private var online: [UInt8] = []
    private var quota: Int?
    private var known = false

    /// - Parameters:
    ///   - cpuset: the effective cpuset, nil without one.
    ///   - quota: the most CPUs to show, nil without a quota.
    /// - Returns: whether the list has changed.
    mutating func update(cpuset text: Bytes?, online onlineText: Bytes, quota limit: Int?)
        -> Bool
    {
        if known, quota == limit, same(online, onlineText), same(cpuset, text) { return false }
        known = true
        quota = limit
        online = Array(onlineText)
        cpuset = text.map { Array($0) }
        var cpus = CPUList(parsing: onlineText) ?? CPUList([0])
        if let text, let allowed = CPUList(parsing: text) {
            let both = cpus.intersection(allowed)
            // Never none: a program that finds no CPU divides by zero.
            if !both.isEmpty { cpus = both }
        }
        affinity = cpus
        if let limit { cpus = cpus.prefix(max(limit, 1)) }
        let changed = cpus != list
        list = cpus
        return changed
    }

    /// How much of the directory of this CPU there is.
    func extent(of cpu: Int) -> CPUTopology.Extent {
        if list.contains(cpu) { return .visible }
        return affinity.contains(cpu) ? .usable : .offline
    }

    /// Whether the list was made from this effective cpuset.
    func isMade(from text: Bytes?) -> Bool { known && text != nil && same(cpuset, text) }

    private func same(_ known: [UInt8]?, _ text: Bytes?) -> Bool {
        guard let known, let text else { return known == nil && text == nil }
        return known.withUnsafeBufferPointer { $0.equals(text) }
    }
}
