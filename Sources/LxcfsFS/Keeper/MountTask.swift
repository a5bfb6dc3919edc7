import Glibc
import Syscalls

/// Completes the mounts on a thread of its own: that looks up names in a tree that a worker
/// serves, and the keeper must not wait for a worker.
final class MountTask: Sendable {
    private struct State {
        var isStarted = false
        var failure: SystemError?
    }

    private let mount: FileDescriptor
    private let mountPoint: String
    private let done: FileDescriptor
    private let state = Guarded(State())

    /// - Parameter mount: of the connection that knows opens; it is nowhere yet.
    init(_ mount: consuming FileDescriptor, at mountPoint: String) throws(SystemError) {
        self.mount = mount
        self.mountPoint = mountPoint
        done = try EventDescriptor.make()
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
        try startThread("mounts") { [self] in
            do throws(SystemError) {
                try Mounts.complete(mount, at: mountPoint)
            } catch {
                state.withLock { $0.failure = error }
            }
            EventDescriptor.signal(done)
        }
    }

    /// Takes note of the end.
    ///
    /// - Throws: why the mounts are not there.
    func finish(_ poller: Poller) throws(SystemError) {
        try poller.remove(done)
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }
}
