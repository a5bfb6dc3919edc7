import LxcfsHandover
import Syscalls

/// The files of one container that the kernel may have in its page cache.
package final class CachedFiles: @unchecked Sendable {
    /// Guards the table and every file in it. A thread holds it only for moments and never while
    /// it waits for the kernel: a READ must always find its content.
    private let lock = Lock()
    private var files: [UInt64: CachedFile] = [:]
    private var permits: PushPermits?
    private let turns = DropTurns()

    package init() {}

    /// The file of `node`, which is new if nobody has asked for it before.
    ///
    /// - Parameter generation: what a new one begins with, see ``CachedFile/generation``.
    func file(_ node: NodeID, generation: Int) -> CachedFile {
        let key = node.keyInContainer
        return lock.withLock {
            if let known = files[key] { return known }
            let made = CachedFile(lock: lock, generation: generation, turns: turns)
            files[key] = made
            return made
        }
    }

    /// What threads may do with pages of this container.
    ///
    /// - Parameter all: what all containers share.
    func permits(of all: PagePermits) -> PushPermits {
        lock.withLock {
            if let permits { return permits }
            let made = PushPermits(of: all)
            permits = made
            return made
        }
    }
}
