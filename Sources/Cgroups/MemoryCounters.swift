import KernelText
import Syscalls

/// What the kernel counts of a container's memory events, by the names of `/proc/vmstat`.
///
/// Borrows the text of a `memory.stat`: valid until its scratch is used again.
public struct MemoryCounters {
    let stat: Bytes
    let isUnified: Bool
    /// How often a process was killed for want of memory.
    public let outOfMemoryKills: UInt64

    /// - Parameter stat: the text of a `memory.stat`.
    public init(stat: Bytes, isUnified: Bool, outOfMemoryKills: UInt64 = 0) {
        self.stat = stat
        self.isUnified = isUnified
        self.outOfMemoryKills = outOfMemoryKills
    }

    /// How often the event of this name has been counted; nil where the kernel does not count it
    /// for a cgroup.
    ///
    /// v2 writes events under the names of `/proc/vmstat` (`vm_event_name` in mm/memcontrol.c).
    /// v1 has other things under such names too: its `pgpgin` are pages that were charged, not
    /// kilobytes that were read, and refaults are in bytes on some kernels, in pages on others.
    public subscript(name: Bytes) -> UInt64? {
        if name.equals("oom_kill") { return outOfMemoryKills }
        if isUnified { return value(name) }
        if name.equals("pgfault") { return value("total_pgfault") }
        return name.equals("pgmajfault") ? value("total_pgmajfault") : nil
    }

    private func value(_ name: Bytes) -> UInt64? {
        number(inLineOf: name, stat)
    }

    private func value(_ name: StaticString) -> UInt64? {
        value(Bytes(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }
}

/// The number behind `name` and a space; nil if no line begins so.
private func number(inLineOf name: Bytes, _ text: Bytes) -> UInt64? {
    var lines = Scanner(text)
    while let line = lines.line() {
        guard line.count > name.count, line[name.count] == space,
            line.part(0..<name.count).equals(name)
        else { continue }
        return parseNumber(line.part(name.count..<line.count))
    }
    return nil
}

extension ContainerCgroups {
    /// What is counted of the container, with all cgroups below it. v1 counts kills of the
    /// container's own cgroup alone.
    public func readMemoryCounters(_ scratch: Scratch) throws(SystemError) -> MemoryCounters {
        var kills: UInt64 = 0
        let key: StaticString = "oom_kill"
        if let text = try memory?.read(.memoryEvents, scratch) {
            kills =
                number(
                    inLineOf: Bytes(start: key.utf8Start, count: key.utf8CodeUnitCount), text)
                ?? 0
        }
        guard let (node, text) = try nearest(memory, .memoryStat, scratch) else {
            return MemoryCounters(
                stat: Bytes(start: nil, count: 0), isUnified: true, outOfMemoryKills: kills)
        }
        return MemoryCounters(
            stat: text, isUnified: node.unified, outOfMemoryKills: kills)
    }
}
