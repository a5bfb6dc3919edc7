import Glibc
import KernelText
import Syscalls

extension ContainerCgroups {
    /// Looks at the threads of the container's cgroup and of all cgroups below it, as far as the
    /// budget goes.
    ///
    /// - Parameters:
    ///   - proc: the root of a procfs that shows the threads.
    ///   - sweep: where the looks have got to; goes on.
    ///   - expected: how many threads there are by the kernel's count (``readTaskCount(_:)``).
    ///   - namespace: the container's pid namespace: also find the highest number there.
    /// - Throws: `ENODEV` or `ENOENT` when the cgroup has been removed.
    public func lookAtTasks(
        _ proc: borrowing FileDescriptor, _ budget: TaskBudget, _ sweep: inout TaskSweep,
        expected: Int?, numbers namespace: PIDNamespace? = nil, _ scratch: Scratch
    ) throws(SystemError) -> TaskLook {
        // The freezer or pids hierarchy would do as well; every process is in all of them.
        guard let node = pids ?? cpu ?? memory ?? unified else {
            throw SystemError("count the threads of", paths.display, errno: ENOENT)
        }
        let wanted = expected.map { max($0 - sweep.listed, 0) } ?? .max
        var walk = TaskWalk(budget, node, wanted: wanted, random: sweep.random)
        let directory = try node.openFile(".", O_RDONLY | O_DIRECTORY)
        let rest = try walk.visit(directory, from: sweep.places[...], scratch)
        sweep.random = walk.nextRandom

        var counts = TaskCounts()
        var looked = 0
        for task in walk.sample {
            if looked % 16 == 15, walk.time >= budget.time { break }
            looked += 1
            guard let state = Self.state(of: task, proc, scratch) else { continue }
            counts.total += 1
            if state == UInt8(ascii: "R") { counts.running += 1 }
            if state == UInt8(ascii: "D") { counts.blocked += 1 }
            // Not the innermost: a namespace within the container's begins with 1 again.
            if let number = namespace?.number(of: task, proc, scratch) {
                counts.lastPID = max(counts.lastPID, number)
            }
        }
        if looked < walk.listed, let number = namespace?.number(of: walk.newest, proc, scratch)
        {
            counts.lastPID = max(counts.lastPID, number)
        }
        return sweep.add(
            counts, looked: looked, listed: walk.listed, cgroups: walk.cgroups,
            isCut: walk.isCut, rest: rest, expected: expected)
    }

    private static func state(
        of task: Int32, _ proc: borrowing FileDescriptor, _ scratch: Scratch
    ) -> UInt8? {
        // "/proc/<tid>/stat" would add up the whole process; below "task" it is one thread.
        // A thread that has ended since it was listed is ordinary: it is not counted.
        guard
            let file = try? proc.open(at: "\(task)/task/\(task)/stat"),
            let text = try? scratch.read(file.raw, single: true)
        else { return nil }
        return ProcessStat(parsing: text)?.state
    }

    /// Whether there is anybody in the container's cgroup or below it. Costs the same for any
    /// number of threads and cgroups.
    ///
    /// - Throws: `ENODEV` or `ENOENT` when the cgroup has been removed.
    public func haveTasks(_ scratch: Scratch) throws(SystemError) -> Bool {
        if let count = try readTaskCount(scratch) { return count > 0 }
        guard let node = pids ?? cpu ?? memory ?? unified else { return false }
        if node.unified, node.parent != nil {
            let file = try node.openFile("cgroup.events")
            var lines = Scanner(try scratch.read(file.raw, path: node.path + "/cgroup.events"))
            while let line = lines.line() {
                guard line.starts(with: "populated ") else { continue }
                return !line.part(10..<line.count).trimmed.equals("0")
            }
        }
        // A v1 without counts: whatever the budget does not reach is taken to be in use.
        var walk = TaskWalk(.inPlace, node, wanted: 1, random: 1)
        let directory = try node.openFile(".", O_RDONLY | O_DIRECTORY)
        return try walk.visit(directory, from: [], scratch) != nil || walk.isCut
            || walk.listed > 0
    }

    /// The first processes directly in the container's cgroup, no more than ``mostProcesses``.
    public func processes(_ scratch: Scratch) throws(SystemError) -> [Int32] {
        guard let node = memory ?? pids ?? cpu ?? unified else { return [] }
        let file = try node.openFile("cgroup.procs")
        let text = try scratch.read(
            file.raw, limit: Self.mostProcesses * 12, path: node.path + "/cgroup.procs")
        var scanner = Scanner(text.part(0..<text.indexAfterLast(newline)))
        var found: [Int32] = []
        while found.count < Self.mostProcesses, let pid = scanner.number() {
            found.append(Int32(clamping: pid))
        }
        return found
    }

    /// An init is among the first, for their numbers are in order where there are many (v1), or
    /// the order is that in which they came (v2).
    static let mostProcesses = 256
}
