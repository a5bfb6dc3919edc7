/// A link `cpuM` in the directory of a NUMA node, in the numbers of node ids: the CPU is where
/// files below a `cpuN` have it too, and the node is in the number of the file.
package struct NodeLink: Equatable, Sendable {
    package let node: Int
    package let cpu: Int

    /// There is room for no higher number: the directories of further nodes are not there.
    package static let highestNode = 255
    private static let first: UInt32 = 256

    /// - Returns: nil if there is no room for one of the numbers.
    package init?(node: Int, cpu: Int) {
        guard (0...Self.highestNode).contains(node), (0...NodeID.highestCPU).contains(cpu)
        else { return nil }
        self.node = node
        self.cpu = cpu
    }

    /// - Returns: nil if it is something else.
    package init?(_ id: NodeID) {
        guard (Self.first...Self.first + UInt32(Self.highestNode)).contains(id.file) else {
            return nil
        }
        self.init(node: Int(id.file - Self.first), cpu: id.cpu)
    }

    package func id(slot: UInt32) -> NodeID {
        NodeID(slot: slot, cpu: cpu, file: Self.first + UInt32(node))
    }
}
