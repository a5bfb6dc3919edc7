import Cgroups
import KernelText
import Testing

@testable import ProcView

@Suite struct SysinfoTests {
    private func bytes(
        _ info: Sysinfo, _ layout: SysinfoLayout, pageSize: UInt64 = 4096
    ) -> [UInt8] {
        var buffer = [UInt8](repeating: 0xAA, count: Sysinfo.largestSize + 8)
        buffer.withUnsafeMutableBytes { info.write(layout, pageSize: pageSize, to: $0) }
        return buffer
    }

    private func read<Value: FixedWidthInteger>(
        _ bytes: [UInt8], _ offset: Int, _: Value.Type
    ) -> Value {
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    }

    private var example: Sysinfo {
        var info = Sysinfo()
        info.uptime = 61_000_000_001
        info.loads = (2048, 1024, 1)
        info.totalRAM = 268_435_456
        info.freeRAM = 200_000_000
        info.sharedRAM = 4096
        info.totalSwap = 1 << 20
        info.freeSwap = 1 << 19
        info.threads = 7
        return info
    }

    /// Offsets as the compiler gives them for `struct sysinfo` on x86_64, x32 and aarch64.
    @Test func wideLayout() {
        let bytes = bytes(example, .wide)
        #expect(read(bytes, 0, Int64.self) == 62)
        #expect(read(bytes, 8, UInt64.self) == 65536)
        #expect(read(bytes, 16, UInt64.self) == 32768)
        #expect(read(bytes, 24, UInt64.self) == 32)
        #expect(read(bytes, 32, UInt64.self) == 268_435_456)
        #expect(read(bytes, 40, UInt64.self) == 200_000_000)
        #expect(read(bytes, 48, UInt64.self) == 4096)
        #expect(read(bytes, 56, UInt64.self) == 0)
        #expect(read(bytes, 64, UInt64.self) == 1 << 20)
        #expect(read(bytes, 72, UInt64.self) == 1 << 19)
        #expect(read(bytes, 80, UInt16.self) == 7)
        // Padding must not show what was in the buffer.
        #expect(bytes[82..<104].allSatisfy { $0 == 0 })
        #expect(read(bytes, 104, UInt32.self) == 1)
        #expect(bytes[108..<112].allSatisfy { $0 == 0 })
        #expect(bytes[112] == 0xAA)
    }

    /// Offsets on i386 and arm.
    @Test func narrowLayout() {
        let bytes = bytes(example, .narrow)
        #expect(read(bytes, 0, Int32.self) == 62)
        #expect(read(bytes, 4, UInt32.self) == 65536)
        #expect(read(bytes, 12, UInt32.self) == 32)
        #expect(read(bytes, 16, UInt32.self) == 268_435_456)
        #expect(read(bytes, 20, UInt32.self) == 200_000_000)
        #expect(read(bytes, 24, UInt32.self) == 4096)
        #expect(read(bytes, 28, UInt32.self) == 0)
        #expect(read(bytes, 32, UInt32.self) == 1 << 20)
        #expect(read(bytes, 36, UInt32.self) == 1 << 19)
        #expect(read(bytes, 40, UInt16.self) == 7)
        #expect(bytes[42..<52].allSatisfy { $0 == 0 })
        #expect(read(bytes, 52, UInt32.self) == 1)
        #expect(bytes[56..<64].allSatisfy { $0 == 0 })
        #expect(bytes[64] == 0xAA)
    }

    @Test(arguments: [UInt64(4096), 65536])
    func sizesBeyondFourGigabytesAreInPages(pageSize: UInt64) {
        var info = example
        info.totalRAM = 24 << 30
        info.freeRAM = 5 << 30
        let bytes = bytes(info, .narrow, pageSize: pageSize)
        #expect(read(bytes, 52, UInt32.self) == UInt32(pageSize))
        #expect(UInt64(read(bytes, 16, UInt32.self)) * pageSize == 24 << 30)
        #expect(UInt64(read(bytes, 20, UInt32.self)) * pageSize == 5 << 30)
        // Swap is in the same unit.
        #expect(UInt64(read(bytes, 32, UInt32.self)) * pageSize == 1 << 20)
    }

    @Test func swapAloneMakesTheUnitPages() {
        var info = example
        info.totalSwap = 1 << 32
        #expect(read(bytes(info, .narrow), 52, UInt32.self) == 4096)
        info.totalSwap = (1 << 32) - 1
        #expect(read(bytes(info, .narrow), 52, UInt32.self) == 1)
    }

    @Test func numbersThatDoNotFitAreClamped() {
        var info = example
        info.threads = 100_000
        info.uptime = .max
        info.totalRAM = .max
        info.freeRAM = .max
        #expect(read(bytes(info, .wide), 80, UInt16.self) == .max)
        #expect(read(bytes(info, .wide), 32, UInt64.self) == .max)
        #expect(read(bytes(info, .narrow), 16, UInt32.self) == .max)
        info.threads = -1
        #expect(read(bytes(info, .wide), 80, UInt16.self) == 0)
        // 18446744073 seconds.
        #expect(read(bytes(info, .narrow), 0, Int32.self) == .max)
    }

    @Test func aWholeSecondIsNotRoundedUp() {
        var info = Sysinfo()
        info.uptime = 5_000_000_000
        #expect(read(bytes(info, .wide), 0, Int64.self) == 5)
        info.uptime = 1
        #expect(read(bytes(info, .wide), 0, Int64.self) == 1)
        info.uptime = 0
        #expect(read(bytes(info, .wide), 0, Int64.self) == 0)
    }

    @Test func isMadeFromTheModelOfMeminfo() {
        var facts = MemoryFacts()
        facts.limit = 256 << 20
        facts.obtainable = 250 << 20
        facts.usage = 50 << 20
        facts.stat[.file] = 40 << 20
        facts.stat[.shmem] = 60 << 20
        facts.stat[.inactiveFile] = 40 << 20
        var host = HostMemory()
        host.total = 1 << 30
        host.available = 1 << 30
        let view = MemoryView(facts, host: host)
        let load = LoadAverage(active: 1, age: 3_600_000_000_000)
        let info = Sysinfo(view, uptime: 1, load: load, threads: 3)
        #expect(info.totalRAM == 256 << 20)
        #expect(info.freeRAM == view.free)
        #expect(info.freeRAM + view.cached <= info.totalRAM)
        #expect(info.sharedRAM == 40 << 20 && info.sharedRAM <= view.cached)
        #expect(info.totalSwap == view.swapTotal)
        #expect(info.freeSwap == view.swapFree)
        #expect(info.loads.0 == load.values[0])
    }
}

@Suite struct AffinityMaskTests {
    private func keep(_ count: Int, _ mask: [UInt64]) -> (mask: [UInt64], changed: Bool) {
        var mask = mask
        let changed = mask.withUnsafeMutableBytes { AffinityMask.keepFirst(count, of: $0) }
        return (mask, changed)
    }

    @Test func keepsTheLowest() {
        #expect(keep(2, [0b1011_0100]) == ([0b1_0100], true))
        #expect(keep(4, [0b1011_0100]) == ([0b1011_0100], false))
        #expect(keep(9, [0b1011_0100]) == ([0b1011_0100], false))
    }

    @Test func acrossWords() {
        #expect(keep(1, [0, 0b110]) == ([0, 0b10], true))
        #expect(keep(65, [.max, .max]) == ([.max, 1], true))
        #expect(keep(64, [.max, 1]) == ([.max, 0], true))
        #expect(keep(64, [.max, 0]) == ([.max, 0], false))
    }

    @Test func neverNone() {
        #expect(keep(0, [0b1100]) == ([0b100], true))
        #expect(keep(-5, [0b1100]) == ([0b100], true))
        #expect(keep(3, [0]) == ([0], false))
    }

    @Test func aRestOfLessThanAWordIsCleared() {
        var bytes = [UInt8](repeating: 0xFF, count: 12)
        let changed = bytes.withUnsafeMutableBytes { AffinityMask.keepFirst(64, of: $0) }
        #expect(changed)
        #expect(bytes == [UInt8](repeating: 0xFF, count: 8) + [0, 0, 0, 0])
    }
}
