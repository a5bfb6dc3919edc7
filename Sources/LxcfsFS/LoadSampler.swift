import Cgroups
import Glibc
import Logging
import ProcView
import Syscalls

/// Keeps the load averages of the containers that somebody reads, and of no others.
///
/// A container is watched from its first read of `/proc/loadavg`, until nobody has read it
/// for longer than the longest average reaches back.
final class LoadSampler: @unchecked Sendable {
    private let host: Host
    private let log: Logger
    private let mutex = Lock()
    private var watched: [Watch] = []

    private struct Watch {
        let container: Container
        var lastRead: UInt64
    }

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

    /// Notes that the load of `container` has been read.
    func noteRead(_ container: Container) {
        let now = Clock.monotonic()
        let first = mutex.withLock {
            if let index = watched.firstIndex(where: { $0.container === container }) {
                watched[index].lastRead = now
                return false
            }
            watched.append(Watch(container: container, lastRead: now))
            return watched.count == 1
        }
        if first { EventDescriptor.signal(wakeUp) }
    }

    func forget(_ container: Container) {
        mutex.withLock { watched.removeAll { $0.container === container } }
    }

    private func run() {
        let worker = Worker.current
        var next = Clock.monotonic() + LoadAverage.interval
        while true {
            if mutex.withLock({ watched.isEmpty }) {
                EventDescriptor.wait(wakeUp)
                next = Clock.monotonic() + LoadAverage.interval
            }
            sleep(until: next)
            let now = Clock.monotonic()
            let due = mutex.withLock {
                watched.removeAll { clampedDifference(now, $0.lastRead) > Self.forgetAfter }
                return watched.map(\.container)
            }
            for container in due { sample(container, worker) }
            // Samples that were missed (the machine was asleep) are not made up for.
            next = max(next + LoadAverage.interval, Clock.monotonic())
        }
    }

    private func sample(_ container: Container, _ worker: Worker) {
        do {
            let counts = try container.cgroups.countTasks(
                host.roots.proc, worker.scratch, findLastPID: false)
            container.lock.withLock { container.load?.sample(active: counts.active) }
        } catch {
            if error.errno != ENODEV, error.errno != ENOENT {
                log.warning("load of \(container.id): \(error)")
            }
            forget(container)
        }
    }

    private func sleep(until time: UInt64) {
        while case let rest = clampedDifference(time, Clock.monotonic()), rest > 0 {
            var wait = timespec(
                tv_sec: Int(rest / 1_000_000_000), tv_nsec: Int(rest % 1_000_000_000))
            nanosleep(&wait, nil)
        }
    }
}
