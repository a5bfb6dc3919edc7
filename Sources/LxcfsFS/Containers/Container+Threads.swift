import Cgroups
import Glibc
import KernelText
import ProcView
import Syscalls

/// What the threads of a container do.
extension Container {
    /// Updates `tasks`. The caller holds `lock`.
    ///
    /// Of a container that has no more threads and cgroups than ``TaskBudget/inPlace`` this looks
    /// itself, if the last look is a second ago. Otherwise what is known is taken, and another
    /// thread looks (``LoadWatcher``).
    func updateTasks(_ host: Host, _ workspace: Workspace) throws(SystemError) {
        restoreCounters(host)
        let now = host.now()
        // The kernel counts them: this costs little. The runtime's own threads are gone by the
        // time that the container starts, though they may have been looked at.
        let total = try cgroups.readTaskCount(workspace.scratch).map { Int(clamping: $0) }
        let (age, isLarge) = threads.withLock { ($0.age(now: now), $0.isLarge) }
        if age >= ThreadFigures.lifetime {
            let isSmall = !isLarge && total ?? 0 <= TaskBudget.inPlace.threads
            let isOverdue = age >= Self.overdue && total ?? 0 <= Self.mostInPlace
            if isSmall || isOverdue { try look(total, now: now, host, workspace) }
            if !isSmall { watcher?.look(at: self) }
        }
        tasks = threads.withLock { $0.counts } ?? TaskCounts()
        counters.highestPID = max(counters.highestPID, tasks.lastPID)
        tasks.lastPID = counters.highestPID
        if let total { tasks.total = total }
    }

    /// Nanoseconds. What nobody has looked at for so long is not shown of a container with up to
    /// ``mostInPlace`` threads; of a sample it is estimated at once.
    private static let overdue: UInt64 = 10_000_000_000
    /// Of more, to list them alone takes the kernel longer than a reader is to wait (v1).
    private static let mostInPlace = 4096

    private func look(
        _ total: Int?, now: UInt64, _ host: Host, _ workspace: Workspace
    ) throws(SystemError) {
        var sweep = TaskSweep()
        let look = try cgroups.lookAtTasks(
            host.roots.proc, .inPlace, &sweep, expected: total,
            numbers: pidNamespace(host, workspace), workspace.scratch)
        threads.withLock { $0.take(look, now: now) }
    }

    /// A look within the budget of those for whom nobody waits.
    ///
    /// - Throws: `ENODEV` or `ENOENT` when the cgroup has been removed.
    func lookInBackground(_ host: Host, _ workspace: Workspace) throws(SystemError) {
        let started = Clock.thread()
        var sweep = threads.withLock { $0.sweep }
        defer {
            let cost = clampedDifference(Clock.thread(), started)
            threads.withLock { $0.dequeue(now: host.now(), cost: cost) }
        }
        let look = try cgroups.lookAtTasks(
            host.roots.proc, .background, &sweep,
            expected: try cgroups.readTaskCount(workspace.scratch).map { Int(clamping: $0) },
            numbers: pidNamespace(host, workspace), workspace.scratch)
        let next = sweep
        threads.withLock { threads in
            threads.sweep = next
            threads.take(look, now: host.now())
        }
    }

    /// The namespace in which its processes are counted; nil if its init has ended.
    private func pidNamespace(_ host: Host, _ workspace: Workspace) -> PIDNamespace? {
        guard let namespace = try? PIDNamespace(of: pid, host.roots.proc, workspace.scratch)
        else { return nil }
        // Another process may have its number by now, and that namespace been opened.
        if startTime != 0 {
            let path = "\(pid)/stat"
            guard let file = try? host.roots.proc.open(at: path),
                let text = try? workspace.scratch.read(file.raw, single: true, path: path),
                ProcessStat(parsing: text)?.startedAt == startTime
            else { return nil }
        }
        return namespace
    }
}

/// The load averages of a container.
extension Container {
    /// The load averages, which are kept going from now on. Updates `tasks`. The caller holds
    /// `lock`.
    func currentLoad(_ host: Host, _ workspace: Workspace) throws(SystemError) -> LoadAverage {
        try updateTasks(host, workspace)
        addSamples()
        let load = counters.load ?? LoadAverage(active: tasks.active, age: age)
        // On what has only been seen in part nothing is founded.
        if counters.load == nil, threads.withLock({ $0.counts != nil && !$0.isPartial }) {
            counters.load = load
            saveCounters(host)
        }
        noteLoadRead(now: host.now())
        return load
    }

    /// The load averages as far as they are known, without a look at the threads: nobody is to wait for
    /// that. nil until somebody has looked. The caller holds `lock`.
    ///
    /// - Parameter watches: they are kept going from now on, as after ``currentLoad(_:_:)``.
    func knownLoad(watches: Bool, _ host: Host) -> LoadAverage? {
        restoreCounters(host)
        addSamples()
        guard watches else { return counters.load }
        if counters.load == nil {
            let whole = threads.withLock { $0.isPartial ? nil : $0.counts }
            if let whole {
                counters.load = LoadAverage(active: whole.active, age: age)
                saveCounters(host)
            } else {
                watcher?.look(at: self)
            }
        }
        noteLoadRead(now: host.now())
        return counters.load
    }

    /// Adds a sample to the load averages: at once, or, if a reader has them, by the next one.
    func addSample(_ active: Int, _ host: Host) {
        threads.withLock { $0.keep(sample: active) }
        guard lock.tryLock() else { return }
        defer { lock.unlock() }
        addSamples()
        saveCounters(host)
    }

    private func addSamples() {
        let (samples, isForgotten) = threads.withLock { threads in
            defer { threads.isForgotten = false }
            return (threads.takeSamples(), threads.isForgotten)
        }
        if isForgotten { counters.load = nil }
        for active in samples { counters.load?.sample(active: active) }
    }
}
