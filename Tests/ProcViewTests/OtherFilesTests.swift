import Cgroups
import KernelText
import Syscalls
import Testing

@testable import ProcView

private let second: UInt64 = 1_000_000_000

@Suite struct UptimeTests {
    @Test(
        arguments: [
            (UInt64(0), UInt64(0), "0.00 0.00\n"),
            (12_345_678_901, 1_009_999_999, "12.34 1.00\n"),
            (86_400 * 1_000_000_000, 7, "86400.00 0.00\n"),
        ] as [(UInt64, UInt64, String)])
    func hundredths(_ age: UInt64, _ idle: UInt64, _ text: String) {
        let out = TextBuffer()
        renderUptime(uptime: age, idle: idle, into: out)
        #expect(out.string == text)
    }

    @Test(
        arguments: [
            ("11923.33 7007.84\n", "1.50 7007.84\n"), ("nonsense", "nonsense"), ("", ""),
        ])
    func theHostsInAnotherTimeNamespace(_ host: String, _ text: String) {
        let out = TextBuffer()
        withBytes(host) { renderHostUptime(uptime: 1_500_000_000, host: $0, into: out) }
        #expect(out.string == text)
    }
}

@Suite struct LoadAverageTests {
    private func text(_ load: LoadAverage) -> String {
        let out = TextBuffer()
        var tasks = TaskCounts()
        tasks.running = 2
        tasks.total = 17
        tasks.lastPID = 99
        load.render(tasks, into: out)
        return out.string
    }

    @Test func startsFromTheAgeOfTheContainer() {
        #expect(text(LoadAverage(active: 4, age: 0)) == "0.00 0.00 0.00 2/17 99\n")
        #expect(text(LoadAverage(active: 4, age: 3600 * second)).hasPrefix("4.00 4.00 3.93 "))
        #expect(text(LoadAverage(active: 1, age: 60 * second)).hasPrefix("0.63 0.18 0.06 "))
    }

    @Test func followsTheKernelsFormula() {
        // calc_load of kernel/sched/loadavg.c, written out.
        func kernel(_ load: UInt64, _ exp: UInt64, _ active: UInt64) -> UInt64 {
            var new = load * exp + active * (2048 - exp)
            if active >= load { new += 2047 }
            return new / 2048
        }
        var load = LoadAverage(active: 0, age: 0)
        var expected: [UInt64] = [0, 0, 0]
        for step in 0..<1000 {
            let active = step % 100 < 50 ? 3 : 0
            load.sample(active: active)
            for (index, exp) in [UInt64(1884), 2014, 2037].enumerated() {
                expected[index] = kernel(expected[index], exp, UInt64(active) * 2048)
            }
            #expect(load.values == expected)
        }
    }

    @Test func aConstantLoadReachesItsNumberAndGoesAway() {
        var load = LoadAverage(active: 0, age: 0)
        for _ in 0..<2000 { load.sample(active: 1) }
        #expect(text(load).hasPrefix("1.00 1.00 1.00 "))
        for _ in 0..<4000 { load.sample(active: 0) }
        #expect(text(load).hasPrefix("0.00 0.00 0.00 "))
    }
}

@Suite struct DiskstatsTests {
    @Test(arguments: Kernel.all) func keepsDevicesAndColumns(_ kernel: Kernel) throws {
        let text = try kernel.text("proc/diskstats")
        let out = rendered(text) { renderDiskstats([], host: $0, into: $1) }
        let before = text.split(separator: "\n")
        let after = out.split(separator: "\n")
        #expect(before.count == after.count)
        for (old, new) in zip(before, after) {
            let oldWords = old.split(separator: " ")
            let newWords = new.split(separator: " ")
            #expect(oldWords.prefix(3) == newWords.prefix(3))
            #expect(oldWords.count == newWords.count)
            #expect(newWords.dropFirst(3).allSatisfy { $0 == "0" })
        }
    }

    @Test func theContainersOwnNumbers() {
        var counters = IOCounters(device: DeviceNumber(major: 254, minor: 0))
        counters.reads = 10
        counters.readBytes = 4096
        counters.writes = 20
        counters.writtenBytes = 1 << 20
        counters.discards = 3
        counters.discardedBytes = 512
        let host = " 254       0 vda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n"
        let out = rendered(host) { renderDiskstats([counters], host: $0, into: $1) }
        #expect(out == " 254       0 vda 10 0 8 0 20 0 2048 0 0 0 0 3 0 1 0 0 0\n")
    }
}

@Suite struct BlockDeviceTests {
    private let device = DeviceNumber(major: 254, minor: 1)

    private func stat(_ host: String, _ counters: [IOCounters] = []) -> (text: String, Bool) {
        var exists = false
        let text = rendered(host) {
            exists = BlockDevice.renderStat(device, counters, diskstats: $0, into: $1)
        }
        return (text, exists)
    }

    /// The kernel's own files of a device that nobody has used.
    @Test func theKernelsFormat() throws {
        let kernel = try #require(Kernel.all.first { $0.name == "6.18" })
        let host = try kernel.text("proc/diskstats")
        let text = rendered(host) {
            let loop = DeviceNumber(major: 7, minor: 0)
            #expect(BlockDevice.renderStat(loop, [], diskstats: $0, into: $1))
        }
        #expect(text == (try kernel.text("sys/block/loop0/stat")))
        let inflight = rendered("") { BlockDevice.renderInflight(into: $1) }
        #expect(inflight == (try kernel.text("sys/block/loop0/inflight")))
    }

    /// The columns of the host's kernel, with the numbers of the line in `/proc/diskstats`.
    @Test(arguments: [11, 15, 17]) func agreesWithDiskstats(_ columns: Int) throws {
        var counters = IOCounters(device: device)
        counters.reads = 10
        counters.readBytes = 4096
        counters.writes = 123_456_789_012
        counters.writtenBytes = 1 << 20
        counters.discards = 3
        counters.discardedBytes = 512
        let line = (1...columns).map { "\($0)" }.joined(separator: " ")
        let host = " 254       0 vda \(line)\n 254       1 vda1 \(line)\n"
        let diskstats = rendered(host) { renderDiskstats([counters], host: $0, into: $1) }
        let (text, exists) = stat(host, [counters])
        #expect(exists)
        #expect(text.hasSuffix("\n"))
        let words = text.split(whereSeparator: { " \n".contains($0) })
        #expect(words.count == columns)
        #expect(
            words
                == Array(diskstats.split(separator: "\n")[1].split(separator: " ").dropFirst(3))
        )
        #expect(
            text.hasPrefix("      10        0        8        0 123456789012        0     2048")
        )
    }

    @Test(arguments: ["", " 254       0 vda 1 2 3\n", " 254       1\n", "x\n"])
    func aDeviceThatIsNotThere(_ host: String) {
        #expect(stat(host) == ("", false))
    }

    @Test(arguments: Kernel.all) func allDevices(_ kernel: Kernel) throws {
        withBytes(try kernel.text("proc/diskstats")) { text in
            let all = BlockDevice.all(diskstats: text)
            #expect(all.count == text.string.split(separator: "\n").count)
            #expect(all.allSatisfy { BlockDevice.exists($0, diskstats: text) })
        }
    }
}

@Suite struct TransfersTests {
    /// What goes through the device mapper or RAID is counted once, at the devices below.
    @Test func eachByteOnce() {
        let host = """
               8       0 sda 9 9 9
               8       1 sda1 9 9 9
             253       0 dm-0 9 9 9
               9     127 md127 9 9 9
             259       0 nvme0n1 9 9 9
            """
        var all: [IOCounters] = []
        for (major, minor) in [(8, 0), (253, 0), (9, 127), (259, 0), (99, 99)] {
            var counters = IOCounters(
                device: DeviceNumber(major: UInt32(major), minor: UInt32(minor)))
            counters.readBytes = 4096
            counters.writtenBytes = 512
            all.append(counters)
        }
        let transfers = withBytes(host) { Transfers(all, diskstats: $0) }
        #expect(transfers.read == 8192)
        #expect(transfers.written == 1024)
    }
}

@Suite struct SlabinfoTests {
    @Test(arguments: Kernel.all) func keepsCachesWithoutCounts(_ kernel: Kernel) throws {
        let text = try kernel.text("proc/slabinfo")
        let out = rendered(text) { renderSlabinfo(host: $0, into: $1) }
        let before = text.split(separator: "\n")
        let after = out.split(separator: "\n")
        #expect(before.count == after.count)
        #expect(before.prefix(2) == after.prefix(2))
        for (old, new) in zip(before, after).dropFirst(2) {
            #expect(old.count == new.count)
            let words = new.split(separator: " ")
            let oldWords = old.split(separator: " ")
            #expect(words[0] == oldWords[0])
            #expect(words[1] == "0" && words[2] == "0")
            #expect(words[3...5] == oldWords[3...5])
            #expect(words[13...15].allSatisfy { $0 == "0" })
        }
    }
}

@Suite struct TextBufferTests {
    @Test(
        arguments: [
            (UInt64(0), 0, "0"), (7, 3, "  7"), (1234, 2, "1234"),
            (.max, 0, "18446744073709551615"),
            (10_000_000_000_000_000_000, 22, "  10000000000000000000"), (999, 3, "999"),
        ] as [(UInt64, Int, String)])
    func numbers(_ number: UInt64, _ width: Int, _ text: String) {
        let out = TextBuffer(capacity: 1)
        out.append(number: number, width: width)
        #expect(out.string == text)
    }

    @Test func grows() {
        let out = TextBuffer(capacity: 1)
        for _ in 0..<10_000 { out.append("0123456789") }
        #expect(out.count == 100_000)
        out.clear()
        #expect(out.string == "")
    }
}
