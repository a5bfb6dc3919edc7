import Glibc
import KernelGrammar
import KernelText
import Syscalls

@testable import Cgroups
@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper
@testable import LxcfsPageCache
@testable import ProcView

/// What a strict parser accepts of the host's, it accepts of a container's.
func requireGrammar(_ grammar: FileGrammar, host: Bytes? = nil, _ out: [UInt8]) {
    if let host, grammar.fault(in: host) != nil { return }
    // No line of the host's may be one of the container's.
    if host != nil, out.isEmpty { return }
    if let fault = out.withUnsafeBufferPointer({ grammar.fault(in: $0) }) { fatalError(fault) }
}

/// The promises of `MemoryView`, whatever kernel and container say.
func checkMemory(_ facts: MemoryFacts, host: HostMemory) {
    for swap in [false, true] {
        let view = MemoryView(facts, host: host, swap: swap)
        require(view.total >= 1024, "no memory at all")
        require(view.total <= max(host.total, 1024), "more memory than the host")
        require(view.free <= view.total, "more free than there is")
        require(clampedSum(view.free, view.cached) <= view.total, "free and cached")
        require(view.available <= view.total, "more available than there is")
        require(view.free <= view.available, "free, and not available")
        require(view.available <= host.available, "more available than the host has")
        checkParts(view)
        require(view.swapFree <= view.swapTotal, "more swap free than there is")
        require(view.swapTotal <= host.swapTotal, "more swap than the host")
        require(swap || view.swapTotal == 0, "swap is not hidden")
        let info = Sysinfo(
            view, uptime: facts.usage, load: LoadAverage(values: [1, 2, 3]),
            threads: Int(clamping: facts.usage))
        for layout in SysinfoLayout.allCases {
            var image = [UInt8](repeating: 0xAA, count: 256)
            image.withUnsafeMutableBytes {
                info.write(layout, pageSize: 4096, to: .init(rebasing: $0[..<layout.size]))
            }
            require(image[layout.size...].allSatisfy { $0 == 0xAA }, "writes beyond")
        }
    }
}

/// No part is more than the whole.
func checkParts(_ view: MemoryView) {
    let parts = view.parts
    let room = view.total - view.free
    func sum(_ values: UInt64...) -> UInt64 { values.reduce(0, clampedSum) }
    require(
        sum(
            parts.anon, parts.cached, parts.slabReclaimable, parts.slabUnreclaimable,
            parts.kernelStack, parts.pageTables, parts.secPageTables, parts.percpu,
            parts.zswap) <= room, "parts are more than what is not free")
    require(
        sum(
            parts.activeAnon, parts.inactiveAnon, parts.activeFile, parts.inactiveFile,
            parts.unevictable) <= room, "more on the lists than what is not free")
    require(sum(parts.shmem, parts.fileHuge) <= parts.cached, "shmem and cached")
    require(parts.anonHuge <= parts.anon && parts.shmemHuge <= parts.shmem, "huge")
    require(max(parts.mapped, parts.dirty) <= parts.cached, "mapped and dirty")
    require(max(parts.writeback, parts.vmalloc, parts.swapCached) <= room, "the rest")
    require(max(parts.swapCached, parts.zswapped) <= view.swapUsed, "used swap")
}

/// numbers | meminfo of the host | memory.stat of the container.
@Sendable func fuzzMeminfo(_ input: Bytes) {
    var parts = Parts(input)
    var facts = MemoryFacts(&parts)
    let unified = parts.byte() & 1 != 0
    let hostText = parts.text { Array($0) }
    facts.stat = parts.text { MemoryStat(parsing: $0, unified: unified) }
    hostText.withUnsafeBufferPointer { text in
        withExactCopy(text) { text in
            let host = HostMemory(meminfo: text)
            checkMemory(facts, host: host)
            let out = rendered(text) { Meminfo(facts, host: host).render(host: $0, into: $1) }
            let lines = lineCount(text) + (text.last.map { $0 != 10 } ?? false ? 1 : 0)
            require(lineCount(out) == lines, "another number of lines than the host's")
            require(out.count <= text.count + 48 * lines, "a text that grows")
            let swaps = rendered(text) {
                renderSwaps(
                    MemoryView(facts, host: host), host: $0, into: $1)
            }
            require(lineCount(swaps) <= 2, "more than one line of swap")
            requireGrammar(.meminfo, host: text, out)
            requireGrammar(.swaps, host: text, swaps)
        }
    }
}

/// numbers | memory.numa_stat | memory.stat | meminfo or vmstat of a node of the host.
@Sendable func fuzzNodes(_ input: Bytes) {
    var parts = Parts(input)
    var facts = MemoryFacts(&parts)
    let unified = parts.byte() & 1 != 0
    var usage = (0..<Int(parts.byte() % 4)).map(NodeUsage.init(node:))
    let sizes = usage.map { _ in parts.quantity() }
    parts.text { usage.add($0, unified: unified, pageSize: 4096) }
    let stat = parts.text { Array($0) }
    stat.withUnsafeBufferPointer { facts.stat = MemoryStat(parsing: $0, unified: unified) }
    let nodes = zip(usage, sizes).map { NodeMemory.Node($0, size: $1) }
    parts.text { text in
        let meminfo = Meminfo(facts, host: HostMemory(meminfo: text))
        let memory = NodeMemory(meminfo, node: 1, of: nodes)
        let lines = lineCount(text) + 1
        let vmstat = Vmstat(
            meminfo, transferred: Transfers(), pageSize: 4096, hugePageSize: 2 << 20)
        let bodies: [(FileGrammar, (Bytes, TextBuffer) -> Void)] = [
            (.nodeMeminfo, { memory.renderMeminfo(host: $0, into: $1) }),
            (
                .vmstat,
                {
                    memory.renderVmstat(
                        host: $0, pageSize: 4096, hugePageSize: 2 << 20, into: $1)
                }
            ),
            (.vmstat, { NodeMemory.renderNUMAStat(host: $0, into: $1) }),
            (
                .vmstat,
                { text, out in
                    stat.withUnsafeBufferPointer {
                        vmstat.render(
                            host: text, MemoryCounters(stat: $0, isUnified: unified), into: out)
                    }
                }
            ),
        ]
        for (grammar, body) in bodies {
            let out = rendered(text, body)
            requireGrammar(grammar, host: text, out)
            require(lineCount(out) <= lines, "lines from nowhere")
            require(out.count <= text.count + 24 * lines, "grows")
        }
    }
}

/// visible CPUs | any text, as cpuinfo and as files of the topology.
@Sendable func fuzzCpuinfo(_ input: Bytes) {
    var parts = Parts(input)
    // Some hundred CPUs at most, for counting siblings takes the square of that.
    var visible = parts.text { CPUList(parsing: $0) } ?? CPUList([0])
    visible = visible.prefix(128)
    parts.text { text in
        let out = rendered(text) { Cpuinfo(visible: visible).render(host: $0, into: $1) }
        let lines = lineCount(text) + 1
        require(out.count <= text.count + 24 * lines, "a text that grows")
        requireGrammar(.cpuinfo, host: text, out)
        let again = rendered(text) { Cpuinfo(visible: visible).render(host: $0, into: $1) }
        require(out == again, "not the same twice")

        let list = rendered(text) {
            CPUTopology.renderList(host: $0, visible: visible, into: $1)
        }
        requireGrammar(.list, list)
        list.withUnsafeBufferPointer {
            guard let shown = CPUList(parsing: $0) else { fatalError("a list that is none") }
            require(shown.cpus.allSatisfy(visible.contains), "a CPU that is not visible")
        }
        let offline = rendered(text) {
            CPUTopology.renderOffline(
                host: $0, possible: CPUList(Array(0..<64)), visible: visible, into: $1)
        }
        requireGrammar(.list, offline)
        let numbers = rendered(text) {
            _ = CPUTopology.renderNumbers(host: $0, visible: visible, into: $1)
        }
        require(lineCount(numbers) == 1, "not one line of numbers")
        let mask = rendered(text) {
            CPUTopology.renderMask(host: $0, visible: visible, into: $1)
        }
        requireGrammar(.mask, host: text, mask)
        require(mask.count == text.trimmed.count + 1, "a mask of another width")
    }
}

/// numbers | stat of the host.
@Sendable func fuzzStat(_ input: Bytes) {
    var parts = Parts(input)
    var ledger = CPULedger()
    for _ in 0..<Int(parts.byte() % 4) {
        ledger.update(
            CPULedger.Reading(
                age: parts.quantity(),
                time: CPUTime(user: parts.quantity(), system: parts.quantity())),
            visible: CPUList(Array(0..<Int(parts.byte() % 16))))
    }
    var stat = Stat(
        ledger: ledger, processes: parts.quantity(), running: parts.quantity(),
        blocked: parts.quantity())
    if stat.processes & 1 != 0 {
        stat.bootTime = BootTime(
            offset: Int64(bitPattern: stat.running), realtime: stat.blocked,
            boottime: stat.processes)
    }
    parts.text { text in
        let out = rendered(text) { stat.render(host: $0, into: $1) }
        let lines = lineCount(text) + 1
        require(lineCount(out) <= lines + ledger.visible.count, "lines from nowhere")
        requireGrammar(.stat, host: text, out)
        // Of each column of the host at most one number for each CPU.
        require(out.count <= (text.count + 24) * 24 * (ledger.visible.count + 1), "grows")
        if let bootTime = stat.bootTime {
            let shown = rendered(text) { renderHostStat(bootTime, host: $0, into: $1) }
            require(lineCount(shown) <= lines, "lines from nowhere")
            requireGrammar(.stat, host: text, shown)
            let uptime = rendered(text) {
                renderHostUptime(uptime: stat.processes, host: $0, into: $1)
            }
            require(uptime.count <= text.count + 24, "grows")
        }
    }
    var load = LoadAverage(
        active: Int(clamping: stat.running & 0xFFFF_FFFF), age: stat.processes)
    load.sample(active: Int(clamping: stat.blocked & 0xFFFF_FFFF))
    var tasks = TaskCounts()
    tasks.running = Int(clamping: stat.running)
    tasks.total = Int(clamping: stat.processes)
    let text = rendered(input) { load.render(tasks, into: $1) }
    requireGrammar(.loadavg, text)
    let uptime = rendered(input) {
        renderUptime(uptime: stat.processes, idle: stat.running, into: $1)
    }
    requireGrammar(.uptime, uptime)
}

/// devices of the container | diskstats and slabinfo of the host; files of disks.
@Sendable func fuzzTables(_ input: Bytes) {
    var parts = Parts(input)
    var counters: [IOCounters] = []
    for _ in 0..<Int(parts.byte() % 4) {
        var own = IOCounters(
            device: DeviceNumber(major: UInt32(parts.byte()), minor: UInt32(parts.byte())))
        own.readBytes = parts.quantity()
        own.reads = parts.quantity()
        own.writtenBytes = parts.quantity()
        counters.append(own)
    }
    parts.text { text in
        let lines = lineCount(text) + 1
        let disks = rendered(text) { renderDiskstats(counters, host: $0, into: $1) }
        requireGrammar(.diskstats, host: text, disks)
        require(lineCount(disks) <= lines, "lines from nowhere")
        require(disks.count <= 22 * (text.count + lines), "grows")
        for device in BlockDevice.all(diskstats: text) {
            var exists = false
            let stat = rendered(text) {
                exists = BlockDevice.renderStat(device, counters, diskstats: $0, into: $1)
            }
            require(exists == BlockDevice.exists(device, diskstats: text), "is it there?")
            require(lineCount(stat) == (exists ? 1 : 0), "not one line")
            if exists, FileGrammar.diskstats.fault(in: text) == nil {
                requireGrammar(.blockStat, stat)
            }
        }
        _ = Transfers(counters, diskstats: text)
        let slabs = rendered(text) { renderSlabinfo(host: $0, into: $1) }
        requireGrammar(.slabinfo, host: text, slabs)
        require(lineCount(slabs) <= lines && slabs.count <= text.count + lines, "grows")
    }
}
