import KernelText
import Syscalls
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper
@testable import LxcfsPageCache

@Suite struct NodeIDTests {
    @Test func theRootIsNumberOne() {
        #expect(NodeID(slot: 0, file: FixedNode.top.rawValue).raw == 1)
    }

    @Test(
        arguments: [
            (UInt32(0), 0, UInt32(1)), (1, 4095, 0xff_ffff), (NodeID.highestSlot, 17, 4096),
            (65536, 1, 1), (3, 4095, 1 << 24),
        ] as [(UInt32, Int, UInt32)])
    func saysWhatItNames(_ slot: UInt32, _ cpu: Int, _ file: UInt32) {
        let node = NodeID(slot: slot, cpu: cpu, file: file)
        #expect(node.slot == slot)
        #expect(node.cpu == cpu)
        #expect(node.file == file)
        #expect(NodeID(raw: node.raw) == node)
        #expect(
            node.keyInContainer == NodeID(slot: 5, cpu: cpu, file: file).keyInContainer)
    }

    /// hash() in fs/inode.c of Linux 6.18, for a superblock somewhere in the direct mapping.
    private func kernelHash(_ node: NodeID, superblock: UInt64, bits: UInt64) -> UInt64 {
        let golden: UInt64 = 0x61c8_8646_80b5_83eb
        var hash = node.raw &* superblock ^ (golden &+ node.raw) / 64
        hash ^= (hash ^ golden) >> bits
        return hash & (1 << bits - 1)
    }

    /// The same file of 10,000 containers was one chain of the kernel's table of inodes.
    @Test(arguments: [17, 18, 20] as [UInt64]) func theKernelFindsThemQuickly(_ bits: UInt64) {
        for superblock in [0xffff_8881_0234_5800, 0xffff_8880_7fff_f000] as [UInt64] {
            var chains: [UInt64: Int] = [:]
            for slot in 1...10_000 as ClosedRange<UInt32> {
                for node in FixedNode.procFiles {
                    let node = NodeID(slot: slot, file: node.rawValue)
                    chains[kernelHash(node, superblock: superblock, bits: bits), default: 0] +=
                        1
                }
            }
            #expect(chains.values.max() ?? 0 < 20)
            let cpus = Set(
                (0..<1024).map {
                    kernelHash(
                        NodeID(slot: 7, cpu: $0, file: 4_794_123), superblock: superblock,
                        bits: bits)
                })
            #expect(cpus.count > 1000)
        }
    }

    @Test func inodeNumbersFitOldPrograms() {
        let nodes = FixedNode.allCases.flatMap { file in
            [0, 1, NodeID.highestSlot].map { NodeID(slot: $0, file: file.rawValue) }
        }
        #expect(nodes.allSatisfy { (1...UInt64(UInt32.max)).contains($0.inode) })
        #expect(Set(nodes.map(\.inode)).count == nodes.count)
    }

    @Test func aBlockDeviceIsFoundByItsNumber() throws {
        for (major, minor) in [(0, 0), (7, 7), (8, 17), (259, 4096), (511, 8191)] {
            let device = DeviceNumber(major: UInt32(major), minor: UInt32(minor))
            for kind in BlockNode.Kind.allCases {
                let block = try #require(BlockNode(kind, device))
                for slot in [0, 1, NodeID.highestSlot] {
                    let node = block.node(slot: slot)
                    #expect(BlockNode(node) == block)
                    #expect(node.slot == slot)
                    #expect(FixedNode(rawValue: node.file) == nil)
                    // The numbers of catalogs begin there.
                    #expect(node.file < 4096)
                }
            }
        }
        #expect(BlockNode(.stat, DeviceNumber(major: 512, minor: 0)) == nil)
        #expect(BlockNode(.stat, DeviceNumber(major: 8, minor: 8192)) == nil)
        for file in FixedNode.allCases {
            #expect(BlockNode(NodeID(slot: 1, file: file.rawValue)) == nil)
        }
        #expect(BlockNode(NodeID(slot: 1, cpu: 5, file: 4096)) == nil)
        #expect(BlockNode(NodeID(slot: 1, cpu: 5, file: 1023)) == nil)
    }

    @Test func aLinkToACPUIsFoundByItsNumber() throws {
        for (node, cpu) in [(0, 0), (1, 4095), (255, 17)] {
            let link = try #require(NodeLink(node: node, cpu: cpu))
            #expect(NodeLink(link.id(slot: 9)) == link)
            #expect(FixedNode(rawValue: link.id(slot: 9).file) == nil)
            #expect(BlockNode(link.id(slot: 9)) == nil)
        }
        #expect(NodeLink(node: 256, cpu: 0) == nil)
        #expect(NodeLink(node: 0, cpu: 4096) == nil)
        for file in [255, 512, 1024, 4096] as [UInt32] {
            #expect(NodeLink(NodeID(slot: 9, cpu: 1, file: file)) == nil)
        }
    }

    /// The kernel remembers these numbers across the life of a daemon.
    @Test func theNumbersOfTheFixedFilesAreForEver() {
        let numbers = FixedNode.allCases.map { "\($0)=\($0.rawValue)" }.joined(separator: " ")
        #expect(
            numbers == """
                top=1 proc=2 sys=3 devices=4 system=5 cpuDirectory=6 pressureDirectory=7 \
                mountPoint=8 singleCPU=9 nodeDirectory=10 singleNode=11 \
                devDirectory=12 blockDirectory=13 \
                cpuinfo=16 diskstats=17 loadavg=18 meminfo=19 \
                slabinfo=20 stat=21 swaps=22 uptime=23 vmstat=24 pressureCPU=32 pressureIO=33 \
                pressureMemory=34 online=48 present=49 possible=50 enabled=51 offline=52 \
                isolated=53 nodesWithCPUs=64 nodesWithMemory=65 nodesWithNormalMemory=66 \
                nodeCPUList=72 nodeCPUMap=73 nodeMeminfo=74 nodeNUMAStat=75 nodeVmstat=76 \
                link=80
                """)
        #expect(
            NodeLink(node: 7, cpu: 9)?.id(slot: 3) == NodeID(slot: 3, cpu: 9, file: 263))
        for (kind, file) in [
            (BlockNode.Kind.directory, 1551), (.stat, 2575), (.inflight, 3599),
        ] {
            let device = DeviceNumber(major: 263, minor: 4097)
            let node = BlockNode(kind, device)?.node(slot: 3)
            #expect(node == NodeID(slot: 3, cpu: 1, file: UInt32(file)))
        }
        #expect(CPUCatalog.number(path: "topology/core_id", perCPU: true) == 4_794_123)
    }
}
