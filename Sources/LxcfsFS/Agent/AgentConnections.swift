import Syscalls

/// The runtimes that are about to hand over a notify descriptor: how many there may be, and who has
/// to go first.
///
/// A runtime says all it has to say at once, so it is hardly ever one of several. Who is here for
/// longer may be held up, or want to use up what the daemon has.
final class AgentConnections: Sendable {
    private struct Entry {
        let connection: AgentConnection
        /// A thread deals with it.
        var isTaken: Bool
        /// Bytes of its message so far.
        var size = 0
    }
    private struct State {
        var entries: [UInt64: Entry] = [:]
        var size = 0

        mutating func remove(_ token: UInt64) {
            guard let entry = entries.removeValue(forKey: token) else { return }
            size -= entry.size
        }
    }
    private let state = Guarded(State())

    /// At one time.
    static let limit = 256
    /// Of one process at one time.
    static let peerLimit = 32
    /// Bytes of all messages that are not complete.
    static let sizeLimit = 16 << 20

    /// Adds a connection, which the calling thread deals with from now on.
    ///
    /// - Returns: whether it was added. And one that had to go for it, which is the calling
    ///   thread's, too: of the same process if that has too many.
    func add(_ connection: AgentConnection) -> (isAdded: Bool, superseded: AgentConnection?) {
        state.withLock { state in
            let same = state.entries.values.filter { $0.connection.peer == connection.peer }
            var rivals: [Entry] = []
            if same.count >= Self.peerLimit {
                rivals = same
            } else if state.entries.count >= Self.limit {
                rivals = Array(state.entries.values)
            }
            var superseded: AgentConnection?
            if !rivals.isEmpty {
                let idle = rivals.filter { !$0.isTaken }.map(\.connection)
                // The oldest of those who have said nothing.
                superseded =
                    idle.filter { !$0.hasSpoken }.min { $0.token < $1.token }
                    ?? idle.min { $0.token < $1.token }
                guard let superseded else { return (false, nil) }
                state.remove(superseded.token)
            }
            state.entries[connection.token] = Entry(connection: connection, isTaken: true)
            return (true, superseded)
        }
    }

    /// The connection is the calling thread's from now on; nil if it is gone.
    func take(_ token: UInt64) -> AgentConnection? {
        state.withLock { state in
            guard let entry = state.entries[token], !entry.isTaken else { return nil }
            state.entries[token]?.isTaken = true
            return entry.connection
        }
    }

    /// Notes how much of a message is there.
    ///
    /// - Returns: false if all messages together are too much.
    func note(_ connection: AgentConnection, size: Int) -> Bool {
        state.withLock { state in
            state.size += size - (state.entries[connection.token]?.size ?? size)
            state.entries[connection.token]?.size = size
            return state.size <= Self.sizeLimit
        }
    }

    /// The calling thread does not deal with it any more.
    func giveBack(_ connection: AgentConnection) {
        state.withLock { $0.entries[connection.token]?.isTaken = false }
    }

    func remove(_ connection: AgentConnection) {
        state.withLock { $0.remove(connection.token) }
    }

    /// Removes those that have not said everything in time.
    ///
    /// - Returns: these, and when the next one is late; nil if there is none.
    func takeLate(now: UInt64) -> (late: [AgentConnection], next: UInt64?) {
        state.withLock { state in
            let late = state.entries.values.filter {
                !$0.isTaken && $0.connection.deadline <= now
            }
            .map(\.connection)
            for connection in late { state.remove(connection.token) }
            let next = state.entries.values.map(\.connection.deadline).min()
            // One that somebody deals with is looked at again a little later.
            return (late, next.map { max($0, now + 10_000_000) })
        }
    }

    var count: Int { state.withLock { $0.entries.count } }
}
