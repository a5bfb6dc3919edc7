import Cgroups
import KernelText
import Testing

@testable import ProcView

private let megabyte: UInt64 = 1 << 20

/// Facts of a container with a limit of 256 MB that uses 60 MB.
private func sampleFacts() -> MemoryFacts {
    var facts = MemoryFacts()
    facts.limit = 256 * megabyte
    facts.usage = 60 * megabyte
    facts.headroom = 196 * megabyte
    facts.stat[.file] = 20 * megabyte
    facts.stat[.activeFile] = 8 * megabyte
    facts.stat[.inactiveFile] = 10 * megabyte
    facts.stat[.anon] = 30 * megabyte
    facts.stat[.shmem] = 2 * megabyte
    facts.stat[.slabReclaimable] = 1 * megabyte
    facts.swapAccounted = true
    facts.swapLimit = 64 * megabyte
    facts.swapHeadroom = 60 * megabyte
    facts.swapUsage = 4 * megabyte
    return facts
}

private func host(totalMB: UInt64, freeMB: UInt64, swapMB: UInt64 = 0) -> HostMemory {
    var host = HostMemory()
    host.total = totalMB * megabyte
    host.free = freeMB * megabyte
    host.available = freeMB * megabyte
    host.swapTotal = swapMB * megabyte
    host.swapFree = swapMB * megabyte
    return host
}

@Suite struct MeminfoTests {
    @Test func theFixturesAreThere() { #expect(Kernel.all.count >= 3) }

    @Test(arguments: Kernel.all) func keepsTheShapeOfTheKernel(_ kernel: Kernel) throws {
        let text = try kernel.text("proc/meminfo")
        let host = withBytes(text, HostMemory.init(meminfo:))
        #expect(host.total > 0)
        let out = rendered(text) {
            Meminfo(sampleFacts(), host: host).render(host: $0, into: $1)
        }
        let before = text.split(separator: "\n")
        let after = out.split(separator: "\n")
        #expect(before.count == after.count)
        for (old, new) in zip(before, after) {
            let name = old.prefix { $0 != ":" }
            #expect(name == new.prefix { $0 != ":" })
            #expect(old.hasSuffix(" kB") == new.hasSuffix(" kB"), "\(new)")
            // The kernel's columns, unless its own number is too wide for them.
            if old.count <= 27 { #expect(old.count == new.count, "\(new)") }
        }
        #expect(out.hasSuffix("\n"))
    }

    @Test(arguments: Kernel.all) func showsTheContainer(_ kernel: Kernel) throws {
        let text = try kernel.text("proc/meminfo")
        let host = withBytes(text, HostMemory.init(meminfo:))
        let values = meminfoValues(
            rendered(text) { Meminfo(sampleFacts(), host: host).render(host: $0, into: $1) })
        #expect(values["MemTotal"] == UInt64(256 << 10))
        #expect(values["MemFree"] == UInt64(196 << 10))
        #expect(values["MemAvailable"] == UInt64((196 + 18 + 1) << 10))
        #expect(values["Cached"] == UInt64(20 << 10))
        #expect(values["AnonPages"] == UInt64(30 << 10))
        #expect(values["Shmem"] == min(2 << 10, meminfoValues(text)["Shmem"] ?? 0))
        #expect(values["SReclaimable"] == UInt64(1 << 10))
        #expect(values["KReclaimable"] == UInt64(1 << 10))
        #expect(values["DirectMap4k"] ?? 0 == 0)
        #expect(values["VmallocTotal"] == meminfoValues(text)["VmallocTotal"])
    }

    @Test func wideHostsKeepTheKernelsLayout() {
        let text = """
            MemTotal:       1056784192 kB
            HugePages_Total:     512
            HardwareCorrupted:     0 kB
            Unknown_New_Thing:  1234 kB
            VmallocTotal:   34359738367 kB

            """
        let host = withBytes(text, HostMemory.init(meminfo:))
        #expect(host.total == 1_056_784_192 << 10)
        let out = rendered(text) {
            Meminfo(sampleFacts(), host: host).render(host: $0, into: $1)
        }
        #expect(
            out == """
                MemTotal:         262144 kB
                HugePages_Total:     512
                HardwareCorrupted:     0 kB
                Unknown_New_Thing:     0 kB
                VmallocTotal:   34359738367 kB

                """)
    }

    @Test func whatIsCommittedIsTheContainersOwn() {
        let text = """
            MemTotal:        1024000 kB
            MemFree:          512000 kB
            MemAvailable:     512000 kB
            SwapTotal:        102400 kB
            SwapFree:           1024 kB
            CommitLimit:      614400 kB
            Committed_AS:     %
            VmallocUsed:        5716 kB

            """
        var facts = sampleFacts()
        facts.stat[.vmalloc] = 1 * megabyte
        func values(_ committed: Int) -> [String: UInt64] {
            let text = text.replacing("%", with: "\(committed) kB")
            let host = withBytes(text, HostMemory.init(meminfo:))
            return meminfoValues(
                rendered(text) { Meminfo(facts, host: host).render(host: $0, into: $1) })
        }
        // 30 anon + 2 shmem + 4 swapped, though others have filled the host's swap.
        #expect(values(800_000)["Committed_AS"] == UInt64(36 << 10))
        #expect(values(1000)["Committed_AS"] == 1000)
        #expect(values(1000)["VmallocUsed"] == 1024)
        // Half of the 256 MB, as the host half of its own, and all of the 64 MB of swap.
        #expect(values(1000)["CommitLimit"] == UInt64((128 + 64) << 10))
    }

    @Test func noPartIsMoreThanTheWhole() {
        let text = "AnonPages:           100 kB\nDirty:                 0 kB\n"
        var facts = sampleFacts()
        facts.stat[.fileDirty] = 4096
        let host = withBytes(text, HostMemory.init(meminfo:))
        #expect(
            rendered(text) { Meminfo(facts, host: host).render(host: $0, into: $1) } == text)
    }

    @Test func hugePages() {
        var facts = sampleFacts()
        facts.hugeLimit = 8 * megabyte
        facts.hugeUsage = 2 * megabyte
        let text = """
            HugePages_Total:      10
            HugePages_Free:       10
            HugePages_Rsvd:        3
            Hugepagesize:       2048 kB
            Hugetlb:           20480 kB

            """
        let host = withBytes(text, HostMemory.init(meminfo:))
        let values = meminfoValues(
            rendered(text) { Meminfo(facts, host: host).render(host: $0, into: $1) })
        #expect(values["HugePages_Total"] == 4)
        #expect(values["HugePages_Free"] == 3)
        #expect(values["HugePages_Rsvd"] == 0)
        #expect(values["Hugepagesize"] == 2048)
        #expect(values["Hugetlb"] == 8192)
    }
}

@Suite struct MemoryViewTests {
    @Test func noLimitShowsTheHost() {
        var facts = MemoryFacts()
        facts.usage = 10 * megabyte
        let view = MemoryView(facts, host: host(totalMB: 1000, freeMB: 400))
        #expect(view.total == 1000 * megabyte)
        #expect(view.free == 400 * megabyte)
    }

    @Test func aLimitAboveTheHostIsTheHost() {
        var facts = MemoryFacts()
        facts.limit = 5000 * megabyte
        facts.headroom = 4990 * megabyte
        let view = MemoryView(facts, host: host(totalMB: 1000, freeMB: 400))
        #expect(view.total == 1000 * megabyte)
        #expect(view.free == 400 * megabyte)
    }

    @Test func whatTheHostCannotGiveIsNotFree() {
        var facts = sampleFacts()
        facts.headroom = 200 * megabyte
        // 10 MB are free, and 5 MB more can be had: not all of the 18 MB of page cache.
        var short = host(totalMB: 1000, freeMB: 10)
        short.available = 15 * megabyte
        var view = MemoryView(facts, host: short)
        #expect(view.free == 15 * megabyte)
        #expect(view.available == 15 * megabyte)
        // The host keeps a reserve: less is available than is free.
        short.available = 4 * megabyte
        view = MemoryView(facts, host: short)
        #expect(view.free == 10 * megabyte)
        #expect(view.available == 4 * megabyte)
    }

    @Test func theSwapCacheIsNotPartOfThePageCache() {
        var facts = sampleFacts()
        facts.stat[.swapCached] = 15 * megabyte
        let view = MemoryView(facts, host: host(totalMB: 1000, freeMB: 400))
        #expect(view.cached == 20 * megabyte)
    }

    @Test func theTotalIsNeverZero() {
        var facts = MemoryFacts()
        facts.limit = 0
        facts.headroom = 0
        #expect(MemoryView(facts, host: host(totalMB: 1000, freeMB: 1)).total == 1024)
    }

    @Test func swapThatIsHiddenOrUnknownIsZero() {
        let facts = sampleFacts()
        let big = host(totalMB: 1000, freeMB: 400, swapMB: 100)
        #expect(MemoryView(facts, host: big).swapTotal == 64 * megabyte)
        #expect(MemoryView(facts, host: big).swapFree == 60 * megabyte)
        #expect(MemoryView(facts, host: big, swap: false).swapTotal == 0)
        var unknown = facts
        unknown.swapAccounted = false
        #expect(MemoryView(unknown, host: big).swapTotal == 0)
    }

    @Test func invariantsHoldWhateverTheKernelSays() {
        var random = SeededGenerator(state: 1)
        func amount() -> UInt64 {
            let bits = UInt64.random(in: 0...63, using: &random)
            return UInt64.random(in: 0...(1 << bits), using: &random)
        }
        for _ in 0..<20_000 {
            var facts = MemoryFacts()
            if Bool.random(using: &random) { facts.limit = amount() }
            if facts.limit != nil { facts.headroom = amount() }
            facts.usage = amount()
            facts.swapAccounted = Bool.random(using: &random)
            if Bool.random(using: &random) { facts.swapLimit = amount() }
            if Bool.random(using: &random) { facts.swapHeadroom = amount() }
            facts.swapUsage = amount()
            for field in MemoryField.allCases where Bool.random(using: &random) {
                facts.stat[field] = amount()
            }
            var host = HostMemory()
            host.total = max(amount(), 1 << 20)
            host.free = min(amount(), host.total)
            host.available = min(amount(), host.total)
            host.swapTotal = amount()
            host.swapFree = min(amount(), host.swapTotal)
            let view = MemoryView(facts, host: host)
            #expect(view.total > 0 && view.total <= host.total)
            #expect(view.free + view.cached <= view.total)
            #expect(view.available >= min(view.free, host.available))
            #expect(view.available <= view.total && view.available <= host.available)
            #expect(view.free <= max(host.free, host.available))
            #expect(view.swapFree <= view.swapTotal && view.swapTotal <= host.swapTotal)
            #expect(view.swapFree <= host.swapFree)
        }
    }
}

@Suite struct SwapsTests {
    private let heading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"

    @Test func oneLineForAllSwap() {
        let view = MemoryView(
            sampleFacts(), host: host(totalMB: 1000, freeMB: 400, swapMB: 100))
        let out = rendered(heading + "/dev/zram0 partition 1 0 100\n") {
            renderSwaps(view, host: $0, into: $1)
        }
        let spaces = String(repeating: " ", count: 36)
        #expect(out == heading + "none\(spaces)virtual\t\t65536\t\t4096\t\t0\n")
    }

    @Test func noSwapIsTheHeadingAlone() {
        let view = MemoryView(sampleFacts(), host: host(totalMB: 1000, freeMB: 400))
        #expect(rendered(heading) { renderSwaps(view, host: $0, into: $1) } == heading)
    }
}
