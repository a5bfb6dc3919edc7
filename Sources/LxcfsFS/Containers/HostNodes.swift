import KernelText
import LxcfsHandover
import Syscalls

/// The NUMA nodes of the host that have memory, with their sizes.
final class HostNodes: Sendable {
    struct Node: Equatable, Sendable {
        let number: Int
        /// In bytes; the largest number for the only node with memory.
        let size: UInt64
    }

    private struct Known {
        var nodes: [Node] = []
        var readAt: UInt64?
    }

    private let known = Guarded(Known())

    /// - Parameters:
    ///   - sys: the root of a sysfs.
    ///   - maxAge: how old the answer may be, in nanoseconds: nodes seldom come and go.
    func withMemory(
        sys: borrowing FileDescriptor, now: UInt64, maxAge: UInt64, _ scratch: Scratch
    ) throws(SystemError) -> [Node] {
        let current = known.withLock { $0 }
        if let readAt = current.readAt, clampedDifference(now, readAt) < maxAge {
            return current.nodes
        }
        var nodes: [Node] = []
        for number in try NodeCatalog.directories(sys: sys) {
            let path = NodeCatalog.path(of: number, FixedNode.nodeMeminfo.name)
            let file = try sys.open(at: path)
            let size = Self.total(meminfo: try scratch.read(file.raw, path: path))
            if size > 0 { nodes.append(Node(number: number, size: size)) }
        }
        // A single node has all that there is. Where a balloon holds memory, its size and the
        // MemTotal of /proc/meminfo are not the same.
        if nodes.count == 1 { nodes = [Node(number: nodes[0].number, size: .max)] }
        let made = nodes
        known.withLock { $0 = Known(nodes: made, readAt: now) }
        return nodes
    }

    /// `Node 0 MemTotal: 1 kB`.
    private static func total(meminfo text: Bytes) -> UInt64 {
        var lines = Scanner(text)
        while let line = lines.line() {
            var words = Scanner(line)
            _ = words.word()
            _ = words.word()
            guard words.word()?.equals("MemTotal:") ?? false, let value = words.number() else {
                continue
            }
            let (bytes, overflow) = value.multipliedReportingOverflow(by: 1024)
            return overflow ? .max : bytes
        }
        return 0
    }
}
