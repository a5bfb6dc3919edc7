import Glibc
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
        let file: CachedFile
        let node: NodeID
        /// Of the snapshot.
        let time: UInt64
        /// Drop the pages even if the file has newer content by then.
        let isDropped: Bool
    }

    /// How long content stays at least, and how much longer one may wait for others, in
    /// nanoseconds. The longer the wait, the fewer times the thread wakes up.
    private static let shortestLife: UInt64 = 20_000_000
    private static let pause: UInt64 = 80_000_000

    private let kernel: any KernelPages
    private let life: UInt64
    /// Wakes the thread when the first contents end, and not when they are made.
    private let timer: Timer
    private let lock = Lock()
    private var queue: [Entry] = []
    /// The first entries of `queue` are done.
    private var done = 0

    /// - Parameter window: how old content may be for read(2), in nanoseconds.
    init(_ kernel: any KernelPages, window: UInt64) throws(SystemError) {
        self.kernel = kernel
        life = max(window, Self.shortestLife)
        timer = try Timer()
    }

    func start() throws(SystemError) {
        try startThread("expiry") { [self] in run() }
    }

    /// Content of `time` is in the page cache, or will be.
    func schedule(_ file: CachedFile, _ node: NodeID, time: UInt64) {
        schedule(Entry(file: file, node: node, time: time, isDropped: false))
    }

    /// Content that is none of the file's any more has come into the page cache.
    ///
    /// - Parameter time: now.
    func scheduleAlways(_ file: CachedFile, _ node: NodeID, time: UInt64) {
        schedule(Entry(file: file, node: node, time: time, isDropped: true))
    }

    private func schedule(_ entry: Entry) {
        lock.lock()
        queue.append(entry)
        if queue.count - done == 1 { timer.set(entry.time + life + Self.pause) }
        lock.unlock()
    }

    private func run() {
        while true {
            if !expireNext(now: Clock.monotonic()) { timer.wait() }
        }
    }

    /// Ends the first content if its time is over.
    ///
    /// - Returns: false if there is none; then the timer is set.
    func expireNext(now: UInt64) -> Bool {
        guard let entry = next(now: now) else { return false }
        var waited: UInt64 = 0
        while true {
            switch entry.file.expire(
                time: entry.time, always: entry.isDropped, now: now + waited)
            {
            case .wait:
                usleep(500)
                waited += 500_000
                continue
            case .nothing: break
            case .drop:
                _ = drop(entry.node, entry.file)
                entry.file.endExpiring()
            }
            return true
        }
    }

    /// Takes content out of the page cache. Waits while a reader waits for the page.
    ///
    /// - Returns: whether nothing is left there.
    func drop(_ node: NodeID, _ file: CachedFile) -> Bool {
        guard kernel.drop(node) else { return false }
        file.dropped()
        return true
    }

    private func next(now: UInt64) -> Entry? {
        lock.lock()
        defer { lock.unlock() }
        guard done < queue.count else {
            queue.removeAll(keepingCapacity: queue.capacity <= 4096)
            done = 0
            return nil
        }
        let entry = queue[done]
        let end = entry.time + life
        if end > now {
            timer.set(end + Self.pause)
            return nil
        }
        done += 1
        // The content of a container that is gone must not be kept by what is done.
        if done >= 32, done * 2 >= queue.count {
            queue.removeFirst(done)
            done = 0
        }
        return entry
    }
}
