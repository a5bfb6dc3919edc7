import Glibc
import KernelText
import Syscalls

extension ContainerCgroups {
    /// Counts the threads of the container's cgroup and of all cgroups below it.
    ///
    /// - Parameters:
    ///   - proc: the root of a procfs that shows the threads.
    ///   - depth: that of the container's pid namespace (`NamespacePIDs`): also find the highest
    ///     number there, which costs about as much again.
    public func countTasks(
        _ proc: borrowing FileDescriptor, _ scratch: Scratch, lastPIDAtDepth depth: Int? = nil
    ) throws(SystemError) -> TaskCounts {
        var counts = TaskCounts()
        // The freezer or pids hierarchy would do as well; every process is in all of them.
        guard let node = pids ?? cpu ?? memory ?? unified else { return counts }
        var tasks: [Int32] = []
        try node.collectTasks(scratch, into: &tasks)
        for task in tasks {
            counts.add(task, proc, scratch, lastPIDAtDepth: depth)
        }
        return counts
    }
}

extension CgroupNode {
    fileprivate func collectTasks(
        _ scratch: Scratch, into tasks: inout [Int32]
    ) throws(SystemError) {
        let directory = try openFile(".", O_RDONLY | O_DIRECTORY)
        try collect(directory, depth: 0, scratch, &tasks)
    }

    private func collect(
        _ directory: borrowing FileDescriptor, depth: Int, _ scratch: Scratch,
        _ tasks: inout [Int32]
    ) throws(SystemError) {
        do {
            let file = try directory.open(at: unified ? "cgroup.threads" : "tasks")
            let text = try scratch.read(file.raw, path: path)
            var scanner = Scanner(text)
            while let task = scanner.number() { tasks.append(Int32(clamping: task)) }
        } catch {
            // A cgroup below that is removed while we walk has no threads left.
            if depth > 0, error.errno == ENOENT || error.errno == ENODEV { return }
            throw error
        }
        // The hierarchy is the container's to shape; it must not make us recurse for ever.
        if depth > 32 { return }
        for item in try directory.list() where item.isDirectory {
            do {
                let child = try directory.open(
                    at: item.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
                try collect(child, depth: depth + 1, scratch, &tasks)
            } catch {
                if error.errno != ENOENT, error.errno != ENODEV { throw error }
            }
        }
    }
}

extension TaskCounts {
    fileprivate mutating func add(
        _ task: Int32, _ proc: borrowing FileDescriptor, _ scratch: Scratch,
        lastPIDAtDepth depth: Int?
    ) {
        // "/proc/<tid>/stat" would add up the whole process; below "task" it is one thread.
        // A thread that has ended since it was listed is ordinary: it is not counted.
        guard
            let file = try? proc.open(at: "\(task)/task/\(task)/stat"),
            let text = try? scratch.read(file.raw, single: true),
            let state = ProcessStat(parsing: text)?.state
        else { return }
        total += 1
        if state == UInt8(ascii: "R") { running += 1 }
        if state == UInt8(ascii: "D") { blocked += 1 }
        // Not the innermost: a namespace within the container's begins with 1 again.
        if let depth,
            let number = NamespacePIDs(of: task, atDepth: depth, proc, scratch)?.asked
        {
            lastPID = max(lastPID, number)
        }
    }
}

extension ContainerCgroups {
    /// The processes directly in the container's cgroup.
    public func processes(_ scratch: Scratch) throws(SystemError) -> [Int32] {
        guard let node = memory ?? pids ?? cpu ?? unified else { return [] }
        let file = try node.openFile("cgroup.procs")
        let text = try scratch.read(file.raw, path: node.path + "/cgroup.procs")
        var scanner = Scanner(text)
        var found: [Int32] = []
        while let pid = scanner.number() { found.append(Int32(clamping: pid)) }
        return found
    }
}
