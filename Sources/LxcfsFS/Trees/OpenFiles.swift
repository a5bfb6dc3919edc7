import Syscalls

/// The files that are open as snapshots, by handle.
final class OpenFiles: Sendable {
    /// What the next worker finds of them.
    let table: OpenFileTable

    private struct State {
        /// Files that are in the table, as far as this worker has had to do with them.
        var known: [UInt64: OpenFile] = [:]
        /// Files for which there is no room in the table.
        var local: [UInt64: OpenFile] = [:]
        var nextLocal: UInt64 = 1 << 63
    }
    private let state = Guarded(State())

    init(_ table: OpenFileTable) { self.table = table }

    /// Takes up what an earlier worker has left, which must not be at work any more.
    ///
    /// - Parameter worker: differs between workers.
    func restore(worker: UInt64) {
        state.withLock { $0.nextLocal = 1 << 63 | worker << 40 }
        table.restore()
    }

    /// How many files are open.
    var count: Int { table.count + state.withLock { $0.local.count } }

    /// - Parameter opener: the number of the OPEN and its connection, see ``Suspects``.
    /// - Returns: the handle.
    func add(_ file: OpenFile, opener: UInt64) -> UInt64 {
        state.withLock { state in
            switch table.add(
                file.node, identity: file.identity, file.snapshot, opener: opener)
            {
            case .known(let handle): return handle
            case .new(let handle):
                state.known[handle] = file
                return handle
            case .full:
                let handle = state.nextLocal
                state.nextLocal += 1
                state.local[handle] = file
                return handle
            }
        }
    }

    /// A handle that is not known any more has been removed already.
    func remove(_ handle: UInt64) {
        // What is thrown away is so only after the lock is free: an open file ends slowly.
        let removed = state.withLock { state -> OpenFile? in
            if let file = state.local.removeValue(forKey: handle) { return file }
            table.remove(handle)
            return state.known.removeValue(forKey: handle)
        }
        _ = consume removed
    }

    /// The open file behind a handle. One that an earlier worker has opened comes back with
    /// the content that it had; nil if that is not there.
    func file(_ handle: UInt64) -> OpenFile? {
        state.withLock { state in
            if let file = state.local[handle] ?? state.known[handle] { return file }
            guard let stored = table.stored(handle) else { return nil }
            let file = OpenFile(stored)
            state.known[handle] = file
            return file
        }
    }

    /// How many threads work for the container that has opened a file; nil if that is not known.
    func gate(ofHandle handle: UInt64) -> RequestGate? {
        state.withLock { ($0.local[handle] ?? $0.known[handle])?.gate }
    }

    /// The handle for a file that no worker has opened: one of which the content is lost.
    func adopt(_ file: OpenFile, as handle: UInt64) {
        state.withLock { $0.local[handle] = file }
    }
}
