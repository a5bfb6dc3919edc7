import Testing

@testable import LxcfsFS

@Suite struct NodeIDTests {
    @Test func theRootIsNumberOne() {
        #expect(NodeID(slot: 0, file: FixedNode.top.rawValue).raw == 1)
    }

    @Test(
        arguments: [
            (UInt32(0), 0, UInt32(1)), (1, 4095, 0xff_ffff), (NodeID.highestSlot, 17, 4096),
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

    /// The kernel remembers these numbers across the life of a daemon.
    @Test func theNumbersOfTheFixedFilesAreForEver() {
        let numbers = FixedNode.allCases.map { "\($0)=\($0.rawValue)" }.joined(separator: " ")
        #expect(
            numbers == """
                top=1 proc=2 sys=3 devices=4 system=5 cpuDirectory=6 pressureDirectory=7 \
                mountPoint=8 singleCPU=9 cpuinfo=16 diskstats=17 loadavg=18 meminfo=19 \
                slabinfo=20 stat=21 swaps=22 uptime=23 pressureCPU=32 pressureIO=33 \
                pressureMemory=34 online=48 present=49 possible=50 enabled=51 offline=52 \
                isolated=53
                """)
        #expect(CPUCatalog.number(path: "topology/core_id", perCPU: true) == 4_794_123)
    }
}
