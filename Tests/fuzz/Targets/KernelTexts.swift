import Glibc
import KernelText
import ProcView
import Syscalls

@testable import Cgroups
@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsHook
@testable import LxcfsKeeper
@testable import LxcfsPageCache

/// Tables of mounts, as each of their readers understands them.
@Sendable func fuzzMountinfo(_ input: Bytes) {
    let table = MountTable(Array(input))
    for id in [0, 1, 36, UInt64.max] {
        let stack = table.stack(from: id)
        require(stack.depth == 0 || table[id]?.isServed == true, "a stack on nothing")
    }
    let mounts = CgroupMounts(mountinfo: input)
    for mount in mounts.mounts {
        require(mount.unified == mount.controllers.isEmpty, "neither v1 nor v2")
        for path in ["/", "/a/b", "/../x"] { _ = mount.directory(of: path) }
    }
    _ = mounts.version
    let unescaped = Mountinfo.unescaped(input)
    require(unescaped.utf8.count <= 3 * input.count, "longer without escapes")
    if let devices = TreeDevices(
        mountPoint: "/var/lib/lxcfs", tree: "/run/lxcfs/tree", mountinfo: input)
    {
        _ = devices.meminfo(in: input)
    }
}

/// Entries of directories, whose names a container gives: the piece is where the kernel's ends.
@Sendable func fuzzDirectory(_ input: Bytes) {
    let piece = SubdirectoryPiece(parsing: UnsafeRawBufferPointer(input), from: 7)
    for entry in piece.entries {
        require(entry.name.last == 0, "a name without an end")
        require(entry.name.dropLast().allSatisfy { $0 != 0 }, "a name with two ends")
        require((2...input.count).contains(entry.name.count), "a name that is not there")
    }
    require(piece.entries.isEmpty || piece.next != nil, "no way on")
    if let numbers = NamespacePIDs(input, atDepth: 2) {
        require(numbers.depth >= 1, "in no namespace")
        require(numbers.asked == nil || numbers.depth >= 2, "deeper than it is")
    }
}

/// Small texts: lists of CPUs, the cgroups and the state of a process.
@Sendable func fuzzLists(_ input: Bytes) {
    if let list = CPUList(parsing: input) {
        require(list.cpus == list.cpus.sorted(), "not in order")
        require(Set(list.cpus).count == list.count, "a CPU twice")
        require(CPUList(parsing: list.text) == list, "a list changes when it is written")
        require(list.cpus.allSatisfy(list.contains), "a CPU is lost")
        if let last = list.cpus.last {
            require(list.index(of: last) == list.count - 1, "index")
        }
    }
    let paths = CgroupPaths(parsing: input)
    require(paths.contains(paths), "a cgroup is not in itself")
    require(paths.ofContainer.contains(paths), "a container without its init")
    let display = paths.display
    require(paths.legacy.isEmpty && paths.unified == nil ? display == "/" : true, "display")
    let text = input.string
    if let id = ContainerID.fromCgroups(text) {
        require(ContainerID.fault(id) == nil, "an id that is none")
    }
    if let stat = ProcessStat(parsing: input) { require(stat.state > space, "a blank state") }
    if let offsets = TimeOffsets(parsing: input) {
        require(
            offsets.boottime != .min && offsets.monotonic != .min, "an offset without limit")
    }
    _ = VisibleCPUs()
    _ = try? VirtualFile.parse(text)
}

/// A cgroup directory with any content, on v1 or v2, and what is shown of it on a host that
/// has 16 GiB.
@Sendable func fuzzCgroupDirectory(_ input: Bytes) {
    var parts = Parts(input)
    let unified = parts.byte() & 1 != 0
    do {
        let cgroups = try cgroupFixture.fill(&parts, unified: unified)
        let scratch = Scratch(capacity: 64)
        let facts = try cgroups.readMemory(scratch)
        if let obtainable = facts.obtainable {
            require(obtainable <= facts.limit ?? 0, "more room than the limit")
        }
        checkMemory(facts, host: .sixteen)
        if let quota = try cgroups.readQuota(scratch) { require(quota >= 1, "no CPU at all") }
        if let set = try cgroups.readCPUSet(scratch) { _ = CPUList(parsing: set) }
        let time = try cgroups.readCPUTime(scratch)
        var perCPU: [UInt64] = []
        _ = try cgroups.readCPUTimePerCPU(scratch, into: &perCPU)
        var ledger = CPULedger()
        for (step, cpus) in [2, 3, 1].enumerated() {
            ledger.update(
                CPULedger.Reading(
                    age: UInt64(step + 1) << 30, time: time ?? CPUTime(),
                    perCPU: Array(perCPU.prefix(cpus))),
                visible: CPUList(Array(0..<cpus)))
        }
        _ = try cgroups.readTaskCount(scratch)
        for kind in PressureKind.allCases { _ = try cgroups.readPressure(kind, scratch) }
        var io: [IOCounters] = []
        try cgroups.readIO(scratch, into: &io)
        require(Set(io.map { "\($0.device)" }).count == io.count, "a device twice")
        if let set = try cgroups.readMemoryNodes(scratch) { _ = CPUList(parsing: set) }
        let usage = try cgroups.readNodeUsage([0, 1], pageSize: 4096, scratch)
        require(usage.map(\.node) == [0, 1], "other nodes")
        _ = try cgroups.readMemoryCounters(scratch).outOfMemoryKills
        let threads = try cgroupFixture.lookAtThreads(cgroups, &parts, unified: unified)
        require(threads.counts.running + threads.counts.blocked == 0, "there are no threads")
    } catch {
        fatalError("a readable cgroup cannot be read: \(error)")
    }
}

extension HostMemory {
    fileprivate static var sixteen: HostMemory {
        var host = HostMemory()
        host.total = 16 << 30
        host.free = 3 << 30
        host.available = 9 << 30
        host.activeAnon = 2 << 30
        host.inactiveFile = 5 << 30
        host.swapTotal = 2 << 30
        host.swapFree = 1 << 30
        host.hugePageSize = 2 << 20
        host.hugePages = 10
        host.hugePagesFree = 5
        return host
    }
}

/// The directory is made once and its files are written anew for each input.
private final class CgroupFixture: @unchecked Sendable {
    private let root = "/dev/shm/fuzz-cgroup-\(getpid())"
    private let trees: [Bool: CgroupTree]

    init() throws {
        for path in [root, root + "/a"] {
            try makeDirectory(path, mode: 0o700)
            try Self.write(path + "/cgroup.procs", Bytes(start: nil, count: 0))
        }
        var trees: [Bool: CgroupTree] = [:]
        for unified in [false, true] {
            trees[unified] = CgroupTree(
                mounts: CgroupMounts([
                    HierarchyMount(
                        unified: unified,
                        controllers: unified ? [] : Controller.allCases, mountPoint: root,
                        root: "/")
                ]))
        }
        self.trees = trees
        let path = root
        atexit { removeCgroupFixture() }
        removable = path
    }

    /// One text for each file that the kernel may have, for the container and its parent.
    func fill(_ parts: inout Parts, unified: Bool) throws -> ContainerCgroups {
        let names = Attribute.allCases.compactMap {
            $0.fileName(unified: unified, hugePage: "2MB")
        }
        for name in names {
            try parts.text { try Self.write(root + "/a/" + name, $0) }
        }
        // A few words are enough for what limits from above.
        try parts.text { try Self.write(root + "/" + (names.first ?? "x"), $0) }
        guard let tree = trees[unified] else { fatalError("no tree") }
        let legacy = Dictionary(
            uniqueKeysWithValues: Controller.allCases.map { ($0, "/a") })
        return try ContainerCgroups(
            unified ? CgroupPaths(unified: "/a") : CgroupPaths(legacy: legacy), in: tree)
    }

    /// A list of threads of which none exists.
    func lookAtThreads(
        _ cgroups: ContainerCgroups, _ parts: inout Parts, unified: Bool
    ) throws -> TaskLook {
        try parts.text {
            try Self.write(root + "/a/" + (unified ? "cgroup.threads" : "tasks"), $0)
        }
        let scratch = Scratch(capacity: 64)
        let budget = TaskBudget(threads: 3, cgroups: 2, listed: 64, time: .max)
        var sweep = TaskSweep()
        return try cgroups.lookAtTasks(
            FileDescriptor.open(root, O_RDONLY | O_DIRECTORY), budget, &sweep,
            expected: Int(parts.byte()), scratch)
    }

    private static func write(_ path: String, _ text: Bytes) throws {
        let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        try file.write(Array(text), path: path)
    }
}

private nonisolated(unsafe) var removable = ""

private func removeCgroupFixture() {
    for directory in [removable + "/a", removable] {
        guard let items = try? FileDescriptor.open(directory, O_RDONLY | O_DIRECTORY).list()
        else { continue }
        for item in items where !item.isDirectory { unlink(directory + "/" + item.name) }
        rmdir(directory)
    }
}

private let cgroupFixture: CgroupFixture = {
    do {
        return try CgroupFixture()
    } catch {
        fatalError("no cgroup to test with: \(error)")
    }
}()
