import CFuse3
import Cgroups
import Glibc
import Syscalls

/// Drops content from the kernel's page cache when its window is over.
///
/// read(2) asks for attributes first, and so notices by itself that content is too old;
/// sendfile(2), splice(2) and mmap(2) take whatever the page cache holds. All contents live
/// equally long, so what was pushed first ends first.
final class Expirer: @unchecked Sendable {
    private struct Entry {
        let container: Container
        let node: NodeID
        /// Of the snapshot.
        let time: UInt64
    }

    private let window: UInt64
    private let wakeUp: FileDescriptor
    private let lock = Lock()
    private var queue: [Entry] = []
    /// The first entries of `queue` are done.
    private var done = 0
    nonisolated(unsafe) var session: OpaquePointer?

    init(window: UInt64) throws(SystemError) {
        self.window = window
        wakeUp = try EventDescriptor.make()
    }

    func start() throws(SystemError) {
        try startThread("expiry") { [self] in run() }
    }

    /// Content of `time` is in the page cache, or will be.
    func schedule(_ container: Container, _ node: NodeID, time: UInt64) {
        lock.lock()
        queue.append(Entry(container: container, node: node, time: time))
        let first = queue.count - done == 1
        lock.unlock()
        if first { EventDescriptor.signal(wakeUp) }
    }

    private func run() {
        while true {
            guard let entry = next() else {
                EventDescriptor.wait(wakeUp)
                continue
            }
            sleep(until: entry.time + window)
            if entry.container.expire(entry.node.keyInContainer, time: entry.time) {
                // An error means that the kernel has forgotten the file by itself.
                _ = fuse_lowlevel_notify_inval_inode(session, entry.node.raw, 0, 0)
            }
        }
    }

    private func next() -> Entry? {
        lock.lock()
        defer { lock.unlock() }
        guard done < queue.count else {
            queue.removeAll(keepingCapacity: queue.capacity <= 4096)
            done = 0
            return nil
        }
        let entry = queue[done]
        done += 1
        if done >= 1024 {
            queue.removeFirst(done)
            done = 0
        }
        return entry
    }
}
