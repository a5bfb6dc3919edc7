import KernelText
import Syscalls

/// What a container has of memory on one NUMA node.
public struct NodeUsage: Equatable, Sendable {
    /// The node's number.
    public let node: Int
    /// In bytes. On v1 only `anon`, `file` and `unevictable`, and these by the kernel's lists of
    /// pages: shared memory is in `anon`.
    public var stat = MemoryStat()

    public init(node: Int) { self.node = node }
}

extension [NodeUsage] {
    /// Adds what a `memory.numa_stat` says. v2: `anon N0=4096 N1=0`, in bytes; v1:
    /// `hierarchical_anon=1 N0=1 N1=0`, in pages.
    mutating func add(_ text: Bytes, unified: Bool, pageSize: UInt64) {
        var lines = Scanner(text)
        while let line = lines.line() {
            var words = Scanner(line)
            guard let name = words.word(), let field = Self.field(name, unified: unified)
            else { continue }
            // The kernel has the nodes in order.
            var expected = 0
            while let word = words.word() {
                guard word.starts(with: "N") else { continue }
                var number = Scanner(word.part(1..<word.count))
                guard let node = number.number(), number.skip(UInt8(ascii: "=")),
                    let value = number.number(),
                    let index = expected < count && UInt64(self[expected].node) == node
                        ? expected : firstIndex(where: { UInt64($0.node) == node })
                else { continue }
                expected = index + 1
                let (bytes, overflow) = value.multipliedReportingOverflow(
                    by: unified ? 1 : pageSize)
                self[index].stat[field] = overflow ? .max : bytes
            }
        }
    }

    private static func field(_ name: Bytes, unified: Bool) -> MemoryField? {
        if unified {
            return MemoryField.allCases.first { $0.unifiedKey.map(name.equals) ?? false }
        }
        if name.starts(with: "hierarchical_anon=") { return .anon }
        if name.starts(with: "hierarchical_file=") { return .file }
        return name.starts(with: "hierarchical_unevictable=") ? .unevictable : nil
    }
}

extension ContainerCgroups {
    /// What the container has on each of these nodes; nothing where the kernel does not tell.
    ///
    /// - Parameter pageSize: in bytes.
    public func readNodeUsage(
        _ nodes: [Int], pageSize: UInt64, _ scratch: Scratch
    ) throws(SystemError) -> [NodeUsage] {
        var usage = nodes.map(NodeUsage.init(node:))
        if let (node, text) = try nearest(memory, .memoryNUMA, scratch) {
            usage.add(text, unified: node.unified, pageSize: pageSize)
        }
        return usage
    }
}
