import Glibc
import LxcfsHandover
import Syscalls

/// Completes the mounts on a thread of its own: that looks up names in a tree that a worker
/// serves, and the keeper must not wait for a worker.
///
/// Nor may the thread have the connections open. Killed while it waits for an answer, it ends with
/// the connection at the latest, and that ends with the last who has it open: the thread would
/// wait for itself, and no next daemon could start.
final class MountTask: Sendable {
    private struct State {
        var isStarted = false
        var failure: (any Error)?
    }

    private let begin: FileDescriptor
    private let done: FileDescriptor
    private let state = Guarded(State())

    /// To be made before the keeper gives up the right to unshare(2).
    ///
    /// - Parameters:
    ///   - place: where to mount.
    ///   - connections: the numbers of the connections' descriptors.
    /// - Throws: `SystemError`; `DaemonError` if there is no way to that place.
    init(_ options: DaemonOptions, in place: MountPlace, connections: [CInt]) throws {
        begin = try EventDescriptor.make()
        done = try EventDescriptor.make()
        try startThread("mounts") { [self] in
            do {
                try closeForThisThread(connections)
                try place.enter()
                EventDescriptor.signal(done)
                EventDescriptor.wait(begin)
                try Mounts.complete(options)
            } catch {
                state.withLock { $0.failure = error }
            }
            EventDescriptor.signal(done)
        }
        // The system call filter is for all threads, and forbids unshare(2).
        EventDescriptor.wait(done)
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    /// Starts, unless that has been done before.
    ///
    /// - Parameter token: of `poller`; readable when the mounts are there, or failed.
    func start(_ poller: Poller, token: UInt64) throws(SystemError) {
        let isStarted = state.withLock { state in
            defer { state.isStarted = true }
            return state.isStarted
        }
        if isStarted { return }
        try poller.add(done, token: token)
        EventDescriptor.signal(begin)
    }

    /// Takes note of the end.
    ///
    /// - Throws: why the mounts are not there.
    func finish(_ poller: Poller) throws {
        try poller.remove(done)
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }
}
