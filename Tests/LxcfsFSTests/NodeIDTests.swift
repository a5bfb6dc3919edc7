import KernelText
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

    /// The kernel remembers these numbers across the life of a daemon.
    @Test func theNumbersOfTheFixedFilesAreForEver() {
        let numbers = FixedNode.allCases.map { "\($0)=\($0.rawValue)" }.joined(separator: " ")
        #expect(
            numbers == """
                top=1 proc=2 sys=3 devices=4 system=5 cpuDirectory=6 pressureDirectory=7 \
                mountPoint=8 singleCPU=9 cpuinfo=16 diskstats=17 loadavg=18 meminfo=19 \
                slabinfo=20 stat=21 swaps=22 uptime=23 pressureCPU=32 pressureIO=33 \
                pressureMemory=34 online=48 present=49 possible=50 enabled=51 offline=52 \
                isolated=53 link=64
                """)
        #expect(CPUCatalog.number(path: "topology/core_id", perCPU: true) == 4_794_123)
    }
}
