import KernelText
import Syscalls
import Testing

/// The lines of `/proc/<pid>/maps`, of which the process chooses the paths.
@Suite struct MemoryMapsTests {
    static let text = """
        00400000-00401000 r--p 00000000 08:01 7                                  /bin/a b
        00401000-00402000 rw-p 00001000 08:01 7                                  /bin/a b
        00402000-00404000 rw-s 00000000 00:01 9                                  /dev/zero
        7ffd2c1f0000-7ffd2c211000 rw-p 00000000 00:00 0                          [stack]
        ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]

        """

    private func mapping(_ address: UInt64, in text: String = text) -> MemoryMapping? {
        Array(text.utf8).withUnsafeBufferPointer { MemoryMaps.mapping(at: address, in: $0) }
    }

    @Test func theMappingThatHasTheAddress() {
        #expect(mapping(0x400000) == MemoryMapping(end: 0x401000, isWritable: false))
        #expect(mapping(0x400fff) == MemoryMapping(end: 0x401000, isWritable: false))
        #expect(mapping(0x401000) == MemoryMapping(end: 0x402000, isWritable: true))
        #expect(mapping(0x403fff) == MemoryMapping(end: 0x404000, isWritable: true))
        #expect(mapping(0x7ffd_2c20_0000)?.isWritable == true)
        #expect(mapping(0xffff_ffff_ff60_0000)?.isWritable == false)
    }

    @Test(arguments: [0, 0x3fffff, 0x404000, 0x7ffd_2c21_1000, UInt64.max])
    func nothingIsMappedThere(address: UInt64) {
        #expect(mapping(address) == nil)
    }

    @Test(arguments: [
        "", "x", "-", "1000-2000", "1000-2000 ", "1000-2000 r", "1000 2000 rw-p", "-2000 rw-p",
        "2000-1000 rw-p", "1000-1000 rw-p", "1x00-2000 rw-p", "10000000000000000-2 rw-p",
        "1000-20000000000000000 rw-p", "1000-FFFF rw-p",
    ])
    func aLineOfAnotherFormIsPassedOver(line: String) {
        #expect(mapping(0x1000, in: line + "\n") == nil)
        #expect(mapping(0x1000, in: line + "\n1000-3000 rw-p 0")?.end == 0x3000)
    }
}
