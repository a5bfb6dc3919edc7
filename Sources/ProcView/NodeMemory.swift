import Cgroups
import KernelText

/// The memory of one NUMA node as a container sees it: of each amount of ``Meminfo`` the node's
/// share. Over all nodes the shares add up to what `/proc/meminfo` says.
///
/// With one node that is all. With several, MemTotal is divided as the sizes of the nodes are,
/// and what is used as the container's pages are.
public struct NodeMemory {
    /// A node of which the container may have memory.
    public struct Node: Equatable, Sendable {
        public let usage: NodeUsage
        /// What the machine has there, in bytes.
        public let size: UInt64

        public init(_ usage: NodeUsage, size: UInt64) {
            self.usage = usage
            self.size = size
        }
    }

    private let meminfo: Meminfo
    private let nodes: [Node]
    /// Which of them this is; nil for a node of which the container has no memory.
    private let index: Int?
    /// Of each node, in kB.
    private let totals: [UInt64]
    private let used: [UInt64]

    /// - Parameters:
    ///   - node: the number of the node.
    ///   - nodes: those of which the container may have memory.
    public init(_ meminfo: Meminfo, node: Int, of nodes: [Node]) {
        self.meminfo = meminfo
        self.nodes = nodes
        index = nodes.firstIndex { $0.usage.node == node }
        let view = meminfo.view
        let sizes = nodes.map(\.size)
        totals = zip(Self.shares(of: view.total / 1024, by: sizes), sizes).map {
            min($0, $1 / 1024)
        }
        let taken = clampedDifference(view.total / 1024, view.free / 1024)
        let pages = Self.weights(of: .memTotal, nodes)
        let wanted = Self.shares(of: taken, by: pages.contains { $0 > 0 } ? pages : sizes)
        used = Self.fit(wanted, into: totals)
    }

    /// In bytes, or in pages for `HugePages_*`.
    func value(of field: MeminfoField, host: UInt64 = 0) -> UInt64 {
        guard let index else { return 0 }
        switch field {
        case .memTotal: return totals[index] * 1024
        case .memFree: return clampedDifference(totals[index], used[index]) * 1024
        case .hugePagesTotal, .hugePagesFree:
            let all = meminfo.value(of: field, host: 0)
            return min(Self.shares(of: all, by: nodes.map(\.size))[index], host)
        case .active: return clampedSum(value(of: .activeAnon), value(of: .activeFile))
        case .inactive: return clampedSum(value(of: .inactiveAnon), value(of: .inactiveFile))
        case .slab: return clampedSum(value(of: .sReclaimable), value(of: .sUnreclaim))
        default: break
        }
        let value = meminfo.value(of: field, host: 0) / 1024
        if nodes.count == 1 { return value * 1024 }
        let weights = Self.weights(of: field, nodes)
        let share = Self.shares(
            of: value, by: weights.contains { $0 > 0 } ? weights : used)[index]
        return min(share, used[index]) * 1024
    }

    /// The file `meminfo` (`node_read_meminfo` in drivers/base/node.c): `Node 0 MemTotal: 1 kB`.
    ///
    /// - Parameter text: the host's.
    public func renderMeminfo(host text: Bytes, into out: TextBuffer) {
        var lines = Scanner(text)
        while let line = lines.line() {
            let colon = line.firstIndex(of: UInt8(ascii: ":"), from: 0)
            var rest = Scanner(line.part(min(colon + 1, line.count)..<line.count))
            guard let hostValue = rest.number() else {
                out.append(line)
                out.append(newline)
                continue
            }
            let end = colon + 1 + rest.position
            let unit = line.part(end..<line.count)
            let inKilobytes = !unit.isEmpty
            // The kernel's width; a longer number of the host's has moved the unit.
            let width = inKilobytes ? 8 : 5
            let digits = Self.digits(hostValue)
            out.append(line.part(0..<max(end - max(digits, width), colon + 1)))
            let name = line.part((line.part(0..<colon).indexAfterLast(space))..<colon)
            let value = self.value(of: name, host: hostValue)
            out.append(number: inKilobytes ? value / 1024 : value, width: width)
            out.append(unit)
            out.append(newline)
        }
    }

    private func value(of name: Bytes, host: UInt64) -> UInt64 {
        if let field = MeminfoField(name) {
            let value = value(of: field, host: host)
            // As in /proc/meminfo: counters of cgroups are not brought up to date with the host's.
            let most = host.multipliedReportingOverflow(by: 1024)
            return field.isPartOfHost && !most.overflow ? min(value, most.partialValue) : value
        }
        if name.equals("MemUsed") {
            return clampedDifference(value(of: .memTotal), value(of: .memFree))
        }
        return name.equals("FilePages")
            ? clampedSum(value(of: .cached), value(of: .swapCached)) : 0
    }

    /// The file `vmstat` of a node: amounts, and 0 for events, which are counted for the whole
    /// container.
    ///
    /// - Parameter text: the host's.
    public func renderVmstat(
        host text: Bytes, pageSize: UInt64, hugePageSize: UInt64, into out: TextBuffer
    ) {
        var lines = Scanner(text)
        var amounts = VmstatAmounts(pageSize: pageSize, hugePageSize: hugePageSize)
        while let line = lines.line() {
            let end = line.firstIndex(of: space, from: 0)
            let name = line.part(0..<end)
            out.append(name)
            if end < line.count {
                let host = parseNumber(line.part(end..<line.count)) ?? 0
                let own = amounts.amount(name) { value(of: $0) } ?? 0
                out.append(space)
                out.append(number: name.equals("nr_free_pages") ? own : min(own, host))
            }
            out.append(newline)
        }
    }

    /// The file `numastat` of a node: where pages were taken from, which is not counted per
    /// cgroup.
    ///
    /// - Parameter text: the host's.
    public static func renderNUMAStat(host text: Bytes, into out: TextBuffer) {
        var lines = Scanner(text)
        while let line = lines.line() {
            out.append(line.part(0..<line.firstIndex(of: space, from: 0)))
            out.append(" 0\n")
        }
    }

    // MARK: - Shares

    /// `value` in parts that add up to it, in the proportions of `weights`; in equal ones if these
    /// are all 0.
    static func shares(of value: UInt64, by weights: [UInt64]) -> [UInt64] {
        var all: UInt64 = 0
        for weight in weights { all = clampedSum(all, weight) }
        if all == 0 {
            return weights.isEmpty ? [] : shares(of: value, by: weights.map { _ in 1 })
        }
        var before: UInt64 = 0
        var given: UInt64 = 0
        return weights.map { weight in
            before = min(clampedSum(before, weight), all)
            let product = value.multipliedFullWidth(by: before)
            let upToHere = all.dividingFullWidth(product).quotient
            defer { given = upToHere }
            return upToHere - given
        }
    }

    /// Moves what is more than fits to where there is room.
    static func fit(_ wanted: [UInt64], into room: [UInt64]) -> [UInt64] {
        var result = zip(wanted, room).map { min($0, $1) }
        var left: UInt64 = 0
        for (wanted, taken) in zip(wanted, result) { left = clampedSum(left, wanted - taken) }
        for index in result.indices {
            let more = min(left, room[index] - result[index])
            result[index] += more
            left -= more
        }
        return result
    }

    /// What of a field is on each node, as far as the kernel tells: in memory pages of any kind
    /// for MemTotal and for what has no number of its own.
    private static func weights(of field: MeminfoField, _ nodes: [Node]) -> [UInt64] {
        if let parts = parts(of: field) {
            for part in parts where nodes.contains(where: { $0.usage.stat[part] != nil }) {
                return nodes.map { $0.usage.stat.bytes(part) }
            }
        }
        return nodes.map { node in
            [
                MemoryField.anon, .file, .unevictable, .slabReclaimable, .slabUnreclaimable,
                .kernelStack, .pageTables,
            ].reduce(0) { clampedSum($0, node.usage.stat.bytes($1)) }
        }
    }

    /// Of which quantity the division is taken: of the first one that the kernel tells by node.
    private static func parts(of field: MeminfoField) -> [MemoryField]? {
        switch field {
        case .cached: [.file]
        case .swapCached: [.swapCached, .anon]
        case .activeAnon: [.activeAnon, .anon]
        case .inactiveAnon: [.inactiveAnon, .anon]
        case .activeFile: [.activeFile, .file]
        case .inactiveFile: [.inactiveFile, .file]
        case .unevictable: [.unevictable]
        case .dirty: [.fileDirty, .file]
        case .writeback: [.fileWriteback, .file]
        case .anonPages: [.anon]
        case .mapped: [.fileMapped, .file]
        case .shmem: [.shmem, .anon]
        case .kReclaimable, .sReclaimable: [.slabReclaimable]
        case .sUnreclaim: [.slabUnreclaimable]
        case .kernelStack: [.kernelStack]
        case .pageTables: [.pageTables]
        case .secPageTables: [.secPageTables]
        case .anonHugePages: [.anonHuge, .anon]
        case .shmemHugePages: [.shmemHuge, .shmem]
        case .fileHugePages: [.fileHuge, .file]
        default: nil
        }
    }

    private static func digits(_ number: UInt64) -> Int {
        var count = 1
        var rest = number / 10
        while rest > 0 {
            count += 1
            rest /= 10
        }
        return count
    }
}
