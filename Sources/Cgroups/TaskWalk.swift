import Glibc
import KernelText
import Syscalls

/// One walk over the lists of threads of a cgroup and of those below it, within a budget.
struct TaskWalk {
    private let budget: TaskBudget
    private let unified: Bool
    private let path: String
    /// How many threads are still to be found; beyond them no cgroup has any.
    private let wanted: Int
    private let startTime = Clock.work()
    private var random: UInt64
    private var bytes = 0

    /// A random sample of the threads that were listed: no more than the budget has.
    private(set) var sample: [Int32] = []
    /// The highest number that was listed: most often the newest thread.
    private(set) var newest: Int32 = 0
    private(set) var listed = 0
    private(set) var cgroups = 0
    /// There are lists and cgroups that this walk does not see, and the next one neither.
    private(set) var isCut = false

    init(_ budget: TaskBudget, _ node: CgroupNode, wanted: Int, random: UInt64) {
        self.budget = budget
        unified = node.unified
        path = node.path
        self.wanted = wanted
        self.random = random
    }

    /// CPU time of this look, in nanoseconds.
    var time: UInt64 { clampedDifference(Clock.work(), startTime) }

    /// Half of the time is for looking at what was found.
    private var isExhausted: Bool {
        cgroups >= budget.cgroups || bytes >= budget.listed || time >= budget.time / 2
    }

    /// Walks over a cgroup and all below it.
    ///
    /// - Parameter resume: where an earlier walk has ended; empty to begin.
    /// - Returns: where the next walk goes on; nil if all has been seen.
    mutating func visit(
        _ directory: borrowing FileDescriptor, depth: Int = 0,
        from resume: ArraySlice<TaskSweep.Place>, _ scratch: Scratch
    ) throws(SystemError) -> [TaskSweep.Place]? {
        if resume.isEmpty {
            cgroups += 1
            try readList(directory, scratch)
            // A directory has a link for itself, one in its parent, and one for each below.
            if try directory.status(path: path).st_nlink == 2 { return nil }
        }
        if depth >= TaskSweep.deepest {
            isCut = true
            return nil
        }
        var place = resume.first?.position ?? 0
        var begun = resume.first?.inode
        while listed < wanted {
            let piece = try SubdirectoryPiece(of: directory, from: place, path: path)
            for entry in piece.entries {
                let rest = begun == entry.inode ? resume.dropFirst() : []
                begun = nil
                if listed >= wanted { return nil }
                if isExhausted {
                    let open = TaskSweep.Place(
                        position: entry.place, inode: rest.isEmpty ? nil : entry.inode)
                    return [open] + rest
                }
                if let left = try visit(entry, of: directory, depth: depth, from: rest, scratch)
                {
                    return [TaskSweep.Place(position: entry.place, inode: entry.inode)] + left
                }
            }
            guard let next = piece.next else { return nil }
            place = next
        }
        return nil
    }

    private mutating func visit(
        _ entry: SubdirectoryPiece.Entry, of directory: borrowing FileDescriptor, depth: Int,
        from resume: ArraySlice<TaskSweep.Place>, _ scratch: Scratch
    ) throws(SystemError) -> [TaskSweep.Place]? {
        do {
            let child = try directory.open(at: entry, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            return try visit(child, depth: depth + 1, from: resume, scratch)
        } catch {
            // It is removed while we walk, or its owner keeps all others out: then its threads are
            // seen by nobody.
            guard [ENOENT, ENODEV, EACCES, EOPNOTSUPP].contains(error.errno) else {
                throw error
            }
            return nil
        }
    }

    private mutating func readList(
        _ directory: borrowing FileDescriptor, _ scratch: Scratch
    ) throws(SystemError) {
        let file = try directory.open(at: unified ? "cgroup.threads" : "tasks")
        let limit = max(budget.listed - bytes, 1)
        var text = try scratch.read(file.raw, limit: limit, path: path)
        bytes += text.count
        if text.count >= limit {
            isCut = true
            // The last number may be half of one.
            text = text.part(0..<text.indexAfterLast(newline))
        }
        var scanner = Scanner(text)
        while let task = scanner.number() { add(Int32(clamping: task)) }
    }

    private mutating func add(_ task: Int32) {
        listed += 1
        newest = max(newest, task)
        if sample.count < budget.threads {
            sample.append(task)
            return
        }
        // Each that was listed has the same chance to be in the sample at the end.
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        let place = Int(random % UInt64(listed))
        if place < sample.count { sample[place] = task }
    }

    /// What the next walk continues with.
    var nextRandom: UInt64 { random }
}
