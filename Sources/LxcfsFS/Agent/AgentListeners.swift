import Syscalls

/// The notify descriptors that are served: the one place where they come and go.
final class AgentListeners: Sendable {
    private struct State {
        var byToken: [UInt64: AgentListener] = [:]
        var nextToken: UInt64 = 1
        var shares: [ListenerOrigin: AgentShare] = [:]
        /// Those that the store has not taken yet.
        var unstored: Set<UInt64> = []
    }
    private let state = Guarded(State())
    private let store: (any ListenerStore)?
    private let limit: Int

    /// Listeners of all containers: half of what the keeper can keep (`KeptDescriptors`).
    static let defaultLimit = 8192

    /// - Parameter limit: how many there may be.
    init(store: (any ListenerStore)? = nil, limit: Int = defaultLimit) {
        self.store = store
        self.limit = limit
    }

    /// A number that neither a listener nor a connection has had.
    func takeToken() -> UInt64 {
        state.withLock { state in
            defer { state.nextToken += 1 }
            return state.nextToken
        }
    }

    /// - Returns: nil if there are too many, of the container or in all.
    func add(_ descriptor: HeldDescriptor, _ origin: ListenerOrigin) -> AgentListener? {
        let listener: AgentListener? = state.withLock { state in
            let share = state.shares[origin.container] ?? AgentShare()
            guard state.byToken.count < limit, share.addListener() else { return nil }
            state.shares[origin.container] = share
            let token = state.nextToken
            state.nextToken += 1
            let listener = AgentListener(descriptor, token: token, origin: origin, share: share)
            state.byToken[token] = listener
            return listener
        }
        if let listener, let store {
            do {
                try store.keep(listener)
            } catch {
                _ = state.withLock { $0.unstored.insert(listener.token) }
            }
        }
        return listener
    }

    /// Tries again to store what could not be stored.
    ///
    /// - Returns: why it cannot be stored still; nil if all is.
    func storeRest() -> (any Error)? {
        guard let store else { return nil }
        let rest = state.withLock { state in
            state.unstored.sorted().compactMap { state.byToken[$0] }
        }
        for listener in rest {
            do {
                try store.keep(listener)
                _ = state.withLock { $0.unstored.remove(listener.token) }
            } catch {
                return error
            }
        }
        return nil
    }

    /// Whether something is not stored yet.
    var isUnstored: Bool { state.withLock { !$0.unstored.isEmpty } }

    /// Adds one that another process had, which is kept already. However many there are: without
    /// it the calls of processes that run would fail.
    func adopt(
        _ descriptor: HeldDescriptor, _ origin: ListenerOrigin, token: UInt64
    ) -> AgentListener {
        state.withLock { state in
            let share = state.shares[origin.container] ?? AgentShare()
            state.shares[origin.container] = share
            _ = share.addListener(isForced: true)
            let listener = AgentListener(descriptor, token: token, origin: origin, share: share)
            state.nextToken = max(state.nextToken, token + 1)
            state.byToken[token] = listener
            return listener
        }
    }

    /// The descriptor is closed when nobody uses it any more.
    ///
    /// - Throws: if the store keeps it all the same.
    func remove(_ listener: AgentListener) throws {
        abandon(listener)
        try store?.forget(listener)
    }

    /// Removes one that is not kept any more.
    func abandon(_ listener: AgentListener) {
        state.withLock { state in
            guard state.byToken.removeValue(forKey: listener.token) != nil else { return }
            state.unstored.remove(listener.token)
            if listener.share.removeListener() { state.shares[listener.origin.container] = nil }
        }
    }

    subscript(token: UInt64) -> AgentListener? { state.withLock { $0.byToken[token] } }

    var count: Int { state.withLock { $0.byToken.count } }
}
