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
    facts.obtainable = (196 + 19) * megabyte
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
    host.slabReclaimable = 100 * megabyte
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
        let text =
            "MemTotal:        1000000 kB\nAnonPages:           100 kB\nDirty:                 0 kB\n"
        var facts = sampleFacts()
        facts.limit = nil
        facts.obtainable = nil
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
        facts.obtainable = 4990 * megabyte
        facts.usage = 10 * megabyte
        let view = MemoryView(facts, host: host(totalMB: 1000, freeMB: 400))
        #expect(view.total == 1000 * megabyte)
        #expect(view.free == 400 * megabyte)
    }

    /// The host has read files: what is free has become page cache, which it can give.
    @Test func thePageCacheOfTheHostIsNobodysUse() {
        for limit in [256 * megabyte, nil] {
            var facts = sampleFacts()
            if limit == nil {
                facts.limit = nil
                facts.obtainable = nil
            }
            var full = host(totalMB: 1000, freeMB: 800)
            let before = MemoryView(facts, host: full)
            full.free = 10 * megabyte
            #expect(MemoryView(facts, host: full) == before)
        }
    }

    @Test func whatTheHostCannotGiveIsNotAvailable() {
        let facts = sampleFacts()
        // Of the 30 MB that the host could give, 19 are the container's own already.
        var view = MemoryView(facts, host: host(totalMB: 1000, freeMB: 30))
        #expect(view.available == 30 * megabyte)
        #expect(view.free == 11 * megabyte)
        view = MemoryView(facts, host: host(totalMB: 1000, freeMB: 15))
        #expect(view.available == 15 * megabyte)
        #expect(view.free == 0)
    }

    /// As procps 4 and psutil's percent compute it, and procps 3, busybox, htop.
    @Test func usedIsWhatTheContainerUses() {
        var facts = sampleFacts()
        // Active and inactive file pages together.
        facts.stat[.file] = (18 + 2) * megabyte
        for limit in [256, 900, 4000, nil] as [UInt64?] {
            facts.limit = limit.map { $0 * megabyte }
            facts.obtainable = limit.map { ($0 - 60 + 19) * megabyte }
            // A host of which everything else is free or page cache.
            let view = MemoryView(facts, host: host(totalMB: 1000, freeMB: 1000 - 41))
            #expect(view.total - view.available == (60 - 19) * megabyte)
            #expect(
                view.total - view.free - view.cached - view.parts.slabReclaimable
                    == (60 - 21) * megabyte)
        }
    }

    /// 200 MB for both, of which the neighbour has filled 120 with page cache.
    @Test func thePageCacheOfANeighbourIsFree() {
        var facts = MemoryFacts()
        facts.limit = 200 * megabyte
        facts.usage = 20 * megabyte
        facts.stat[.file] = 5 * megabyte
        facts.stat[.inactiveFile] = 5 * megabyte
        facts.obtainable = (200 - 140 + 125) * megabyte
        let view = MemoryView(facts, host: host(totalMB: 1000, freeMB: 800))
        #expect(view.available == 185 * megabyte)
        #expect(view.free == 180 * megabyte)
        #expect(view.cached == 5 * megabyte)
    }

    @Test func aLimitBelowTheUsage() {
        var facts = sampleFacts()
        facts.limit = 16 * megabyte
        facts.obtainable = 0
        facts.stat[.anon] = 12 * megabyte
        facts.stat[.shmem] = 10 * megabyte
        facts.stat[.file] = 30 * megabyte
        let view = MemoryView(facts, host: host(totalMB: 1000, freeMB: 800))
        #expect(view.free == 0 && view.available == 0)
        #expect(view.parts.anon == 12 * megabyte)
        #expect(view.shmem == 4 * megabyte)
        #expect(view.cached == 4 * megabyte)
        #expect(view.parts.slabReclaimable == 0)
    }

    /// v1: 130 MB for memory and swap together, 80 of them for memory.
    @Test func swapIsNotPromisedTwice() {
        var facts = MemoryFacts()
        facts.limit = 80 * megabyte
        facts.obtainable = 60 * megabyte
        facts.obtainableWithSwap = 90 * megabyte
        facts.swapLimit = 50 * megabyte
        facts.swapAccounted = true
        let big = host(totalMB: 1000, freeMB: 800, swapMB: 500)
        var view = MemoryView(facts, host: big)
        #expect(view.swapTotal == 50 * megabyte)
        #expect(view.available + view.swapFree == 90 * megabyte)
        // A neighbour has all of the swap.
        facts.obtainableWithSwap = 40 * megabyte
        view = MemoryView(facts, host: big)
        #expect(view.available == 40 * megabyte && view.swapFree == 0)
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
        facts.obtainable = 0
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
            if facts.limit != nil { facts.obtainable = amount() }
            if Bool.random(using: &random) { facts.obtainableWithSwap = amount() }
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
            host.activeAnon = amount()
            host.inactiveAnon = amount()
            host.activeFile = amount()
            host.inactiveFile = amount()
            host.slabReclaimable = amount()
            host.slabUnreclaimable = amount()
            host.available = min(amount(), host.total)
            host.swapTotal = amount()
            host.swapFree = min(amount(), host.swapTotal)
            let view = MemoryView(facts, host: host)
            #expect(view.total > 0 && view.total <= host.total)
            #expect(view.free + view.cached <= view.total)
            #expect(view.free <= view.available)
            #expect(view.available <= view.total && view.available <= host.available)
            expectPartsWithinTheWhole(view)
            #expect(view.swapFree <= view.swapTotal && view.swapTotal <= host.swapTotal)
            #expect(view.swapFree <= host.swapFree)
        }
    }
}

private func expectPartsWithinTheWhole(_ view: MemoryView) {
    let parts = view.parts
    let room = view.total - view.free
    func sum(_ values: UInt64...) -> UInt64 { values.reduce(0, clampedSum) }
    let kernel = sum(
        parts.slabReclaimable, parts.slabUnreclaimable, parts.kernelStack, parts.pageTables,
        parts.secPageTables, parts.percpu, parts.zswap)
    #expect(sum(parts.anon, parts.cached, kernel) <= room)
    let lists = sum(
        parts.activeAnon, parts.inactiveAnon, parts.activeFile, parts.inactiveFile,
        parts.unevictable)
    #expect(lists <= room)
    #expect(sum(parts.shmem, parts.fileHuge) <= parts.cached)
    #expect(parts.anonHuge <= parts.anon && parts.shmemHuge <= parts.shmem)
    #expect(max(parts.mapped, parts.dirty) <= parts.cached)
    #expect(max(parts.writeback, parts.vmalloc, parts.swapCached) <= room)
    #expect(max(parts.swapCached, parts.zswapped) <= view.swapUsed)
}

@Suite struct SwapsTests {
    private let heading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"

    @Test func oneLineForAllSwap() {
        let view = MemoryView(
            sampleFacts(), host: host(totalMB: 1000, freeMB: 400, swapMB: 100))
        let out = rendered(heading + "/dev/zram0 partition 1 0 100\n") {
            renderSwaps(view, host: $0, into: $1)
        }
        let spaces = String(repeating: " ", count: 31)
        #expect(out == heading + "/dev/swap\(spaces)partition\t65536\t\t4096\t\t-2\n")
        expectGrammatical("proc/swaps", out)
    }

    @Test func numbersOfEightDigits() {
        var facts = sampleFacts()
        facts.limit = 40 << 30
        facts.swapLimit = 200 << 30
        let view = MemoryView(
            facts, host: host(totalMB: 100 << 10, freeMB: 400, swapMB: 20 << 10))
        let out = rendered(heading) { renderSwaps(view, host: $0, into: $1) }
        #expect(out.contains("partition\t20971520\t"))
        expectGrammatical("proc/swaps", out)
    }

    @Test func noSwapIsTheHeadingAlone() {
        let view = MemoryView(sampleFacts(), host: host(totalMB: 1000, freeMB: 400))
        #expect(rendered(heading) { renderSwaps(view, host: $0, into: $1) } == heading)
    }
}
