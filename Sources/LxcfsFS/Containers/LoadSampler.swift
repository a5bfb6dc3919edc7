import Cgroups
import Glibc
import KernelText
import Logging
import ProcView
import Syscalls

/// Samples the load averages of the containers in which a program reads them, and of no
/// others.
///
/// A container is watched from its first read of `/proc/loadavg`, until nobody has read it
/// for longer than the longest average reaches back.
final class LoadSampler: LoadWatcher, Sendable {
    private let host: Host
    private let log: Logger
    private let watched = Guarded<[Container]>([])

    /// In nanoseconds.
    private static let forgetAfter: UInt64 = 30 * 60 * 1_000_000_000

    /// Readable when there is something to watch.
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
    }

    private func run() {
        let workspace = Workspace.current
        var next = Clock.monotonic() + LoadAverage.interval
        while true {
            if watched.withLock({ $0.isEmpty }) {
                EventDescriptor.wait(wakeUp)
                next = Clock.monotonic() + LoadAverage.interval
            }
            sleep(until: next)
            for container in watched.withLock({ $0 }) { sample(container, workspace) }
            // Samples that were missed (the machine was asleep) are not made up for.
            next = max(next + LoadAverage.interval, Clock.monotonic())
        }
    }

    private func sample(_ container: Container, _ workspace: Workspace) {
        let unread = container.lock.withLock {
            let unread = clampedDifference(Clock.monotonic(), container.loadReadAt)
            if unread > Self.forgetAfter {
                container.counters.load = nil
                container.loadIsSampled = false
            }
            return unread
        }
        if unread > Self.forgetAfter {
            forget(container)
            return
        }
        do {
            let counts = try container.cgroups.countTasks(
                host.roots.proc, workspace.scratch)
            container.lock.withLock {
                container.counters.load?.sample(active: counts.active)
                container.saveCounters(host)
            }
        } catch {
            if error.errno != ENODEV, error.errno != ENOENT {
                log.warning("load of \(container.id): \(error)")
            }
            forget(container)
        }
    }
}
