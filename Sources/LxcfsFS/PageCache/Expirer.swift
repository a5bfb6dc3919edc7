import CFuse3
import Cgroups
import Glibc
import KernelText
import LxcfsHandover
import Syscalls

/// Drops content from the kernel's page cache some time after its window is over.
///
/// read(2) asks for attributes first, and so notices by itself that content is too old;
/// sendfile(2), splice(2) and mmap(2) take whatever the page cache holds. That lives longer than
/// the window, and ends together with what ends soon after: a thread that wakes up costs as much
/// as a small file, and of a file that is read again and again only the last content has to be
/// dropped. All contents live equally long, so what was pushed first ends first.
final class Expirer: @unchecked Sendable {
    private struct Entry {
        let container: Container
        let node: NodeID
        /// Of the snapshot.
        let time: UInt64
        /// Whatever content the file has by then.
        let isDropped: Bool
    }

    /// How long content stays at least, and how much longer one may wait for others, in
    /// nanoseconds. The longer the wait, the fewer times the thread wakes up.
    private static let shortestLife: UInt64 = 20_000_000
    private static let pause: UInt64 = 80_000_000

    private let life: UInt64
    /// Wakes the thread when the first contents end, and not when they are made.
    private let timer: Timer
    private let lock = Lock()
    private var queue: [Entry] = []
    /// The first entries of `queue` are done.
    private var done = 0
    nonisolated(unsafe) var session: OpaquePointer?

    /// - Parameter window: how old content may be for read(2), in nanoseconds.
    init(window: UInt64) throws(SystemError) {
        life = max(window, Self.shortestLife)
        timer = try Timer()
    }

    func start() throws(SystemError) {
        try startThread("expiry") { [self] in run() }
    }

    /// Content of `time` is in the page cache, or will be.
    func schedule(_ container: Container, _ node: NodeID, time: UInt64) {
        schedule(Entry(container: container, node: node, time: time, isDropped: false))
    }

    /// Content that is none of the file's any more has come into the page cache.
    ///
    /// - Parameter time: now.
    func scheduleAlways(_ container: Container, _ node: NodeID, time: UInt64) {
        schedule(Entry(container: container, node: node, time: time, isDropped: true))
    }

    private func schedule(_ entry: Entry) {
        lock.lock()
        queue.append(entry)
        if queue.count - done == 1 { timer.set(entry.time + life + Self.pause) }
        lock.unlock()
    }

    private func run() {
        while true {
            guard let entry = next() else {
                timer.wait()
                continue
            }
            let hasEnded = entry.container.expire(entry.node.keyInContainer, time: entry.time)
            if hasEnded || entry.isDropped {
                _ = drop(entry.node, of: entry.container)
            }
        }
    }

    /// Takes content out of the page cache. Waits while a reader waits for the page.
    ///
    /// - Returns: whether nothing is left there.
    func drop(_ node: NodeID, of container: Container) -> Bool {
        let result = fuse_lowlevel_notify_inval_inode(session, node.raw, 0, 0)
        // ENOENT: the kernel has forgotten the file by itself.
        guard result == 0 || result == -ENOENT else { return false }
        container.dropped(node.keyInContainer)
        return true
    }

    /// The first content whose time is over; if there is none, the timer is set.
    private func next() -> Entry? {
        lock.lock()
        defer { lock.unlock() }
        guard done < queue.count else {
            queue.removeAll(keepingCapacity: queue.capacity <= 4096)
            done = 0
            return nil
        }
        let entry = queue[done]
        let end = entry.time + life
        if end > Clock.monotonic() {
            timer.set(end + Self.pause)
            return nil
        }
        done += 1
        // A container that is gone must not be kept, with its files open, by what is done.
        if done >= 32, done * 2 >= queue.count {
            queue.removeFirst(done)
            done = 0
        }
        return entry
    }
}
