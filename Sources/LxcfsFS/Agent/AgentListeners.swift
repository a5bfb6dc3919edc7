import Syscalls

/// The notify descriptors that are served: the one place where they come and go.
final class AgentListeners: Sendable {
    private struct State {
        var byToken: [UInt64: AgentListener] = [:]
        var nextToken: UInt64 = 1
    }
    private let state = Guarded(State())
    private let store: (any ListenerStore)?

    init(store: (any ListenerStore)? = nil) { self.store = store }

    /// A number that neither a listener nor a connection has had.
    func takeToken() -> UInt64 {
        state.withLock { state in
            defer { state.nextToken += 1 }
            return state.nextToken
        }
    }

    func add(_ descriptor: HeldDescriptor, _ origin: ListenerOrigin) -> AgentListener {
        let listener = AgentListener(descriptor, token: takeToken(), origin: origin)
        state.withLock { $0.byToken[listener.token] = listener }
        store?.keep(listener)
        return listener
    }

    /// Adds one that another process had, which is kept already.
    func adopt(
        _ descriptor: HeldDescriptor, _ origin: ListenerOrigin, token: UInt64
    ) -> AgentListener {
        let listener = AgentListener(descriptor, token: token, origin: origin)
        state.withLock { state in
            state.nextToken = max(state.nextToken, token + 1)
            state.byToken[token] = listener
        }
        return listener
    }

    /// The descriptor is closed when nobody uses it any more.
    func remove(_ listener: AgentListener) {
        abandon(listener)
        store?.forget(listener)
    }

    /// Removes one that is not kept any more.
    func abandon(_ listener: AgentListener) {
        _ = state.withLock { $0.byToken.removeValue(forKey: listener.token) }
    }

    subscript(token: UInt64) -> AgentListener? { state.withLock { $0.byToken[token] } }

    var count: Int { state.withLock { $0.byToken.count } }
}
