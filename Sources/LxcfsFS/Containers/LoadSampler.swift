import Cgroups
import Glibc
import KernelText
import Logging
import ProcView
import Syscalls

/// Samples the load averages of the containers in which a program reads them, and of no others; and
/// looks at the threads of containers that have many, in the order in which that is asked for.
///
/// A container is watched from its first read of `/proc/loadavg`, until nobody has read it
/// for longer than the longest average reaches back.
///
/// One thread does it all. What it does for one container at a time is bounded by ``TaskBudget``, what
/// it does for all that a container has inside by ``LookShare``, and it waits for none: containers that
/// cost much get their turn less often, others do not.
final class LoadSampler: LoadWatcher, Sendable {
    private let host: Host
    private let log: Logger
    private let watched = Guarded<[Container]>([])
    private let queue = Guarded<[Order]>([])

    private enum Order {
        case look(Container)
        case discard(Container)
    }

    /// In nanoseconds.
    private static let forgetAfter: UInt64 = 30 * 60 * 1_000_000_000

    /// Readable when there is something to do.
    private let wakeUp: FileDescriptor

    init(host: Host, log: Logger) throws(SystemError) {
        self.host = host
        self.log = log
        wakeUp = try EventDescriptor.make()
    }

    func start() throws(SystemError) {
        try startThread("load") { [self] in run() }
    }

    /// Samples `container` from now on.
    func watch(_ container: Container) {
        let first = watched.withLock { watched in
            watched.append(container)
            return watched.count == 1
        }
        if first { EventDescriptor.signal(wakeUp) }
    }

    func forget(_ container: Container) {
        watched.withLock { $0.removeAll { $0 === container } }
        container.threads.withLock { $0.isWatched = false }
    }

    func look(at container: Container) {
        if container.gate.looks.mayLook(now: host.now()),
            container.threads.withLock({ $0.enqueue(now: host.now()) })
        {
            add(.look(container))
        }
    }

    /// Forgets a container that is gone, and gives back the room of its counters.
    func discard(_ container: Container) {
        forget(container)
        if container.lock.tryLock() {
            container.removeCounters(host)
            container.lock.unlock()
        } else {
            // A reader has it; who registers containers does not wait for readers.
            add(.discard(container))
        }
    }

    private func add(_ order: Order) {
        queue.withLock { $0.append(order) }
        EventDescriptor.signal(wakeUp)
    }

    private func run() {
        let workspace = Workspace.current
        var next: UInt64?
        while true {
            let now = Clock.monotonic()
            if watched.withLock({ $0.isEmpty }) {
                next = nil
            } else if next == nil {
                next = now + LoadAverage.interval
            }
            if let due = next, now >= due {
                for container in watched.withLock({ $0 }) { sample(container, workspace) }
                // Samples that were missed (the machine was asleep) are not made up for.
                next = max(due + LoadAverage.interval, Clock.monotonic())
            } else if let order = takeOrder() {
                carryOut(order, workspace)
            } else {
                EventDescriptor.wait(wakeUp, until: next)
            }
        }
    }

    private func takeOrder() -> Order? {
        queue.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    private func carryOut(_ order: Order, _ workspace: Workspace) {
        switch order {
        case .look(let container):
            // Others of the same container may have had their turn meanwhile.
            guard container.gate.looks.mayLook(now: host.now()) else {
                container.threads.withLock { $0.cancelLook() }
                return
            }
            attempt("threads of", container) { () throws(SystemError) in
                try container.lookInBackground(host, workspace)
            }
        case .discard(let container):
            container.lock.withLock { container.removeCounters(host) }
        }
    }

    private func sample(_ container: Container, _ workspace: Workspace) {
        let isUnread = container.threads.withLock { threads in
            let unread = clampedDifference(Clock.monotonic(), threads.loadReadAt)
            threads.isForgotten = unread > Self.forgetAfter
            return threads.isForgotten
        }
        if isUnread {
            forget(container)
            return
        }
        attempt("load of", container) { () throws(SystemError) in
            if let active = try countActive(container, workspace) {
                container.addSample(active, host)
            }
        }
    }

    /// - Returns: nil if nobody has looked yet.
    private func countActive(
        _ container: Container, _ workspace: Workspace
    ) throws(SystemError) -> Int? {
        guard container.gate.looks.mayLook(now: host.now()) else {
            return container.threads.withLock { $0.counts?.active }
        }
        if !container.threads.withLock({ $0.isLarge }) {
            let started = Clock.thread()
            defer {
                container.gate.looks.charge(
                    clampedDifference(Clock.thread(), started), now: host.now())
            }
            var sweep = TaskSweep()
            let total = try container.cgroups.readTaskCount(workspace.scratch)
            let look = try container.cgroups.lookAtTasks(
                host.roots.proc, .inPlace, &sweep, expected: total.map { Int(clamping: $0) },
                workspace.scratch)
            if look.fits(.inPlace) { return look.counts.active }
            container.threads.withLock { $0.take(look, now: host.now()) }
        }
        if container.threads.withLock({ $0.enqueue(now: host.now()) }) {
            try container.lookInBackground(host, workspace)
        }
        return container.threads.withLock { $0.counts?.active }
    }

    private func attempt(
        _ what: String, _ container: Container, _ body: () throws(SystemError) -> Void
    ) {
        do {
            try body()
        } catch {
            if error.errno != ENODEV, error.errno != ENOENT {
                log.warning("\(what) \(container.id): \(error)")
            }
            forget(container)
        }
    }
}
