import Cgroups
import JSON
import KernelText
import LxcfsHandover
import Syscalls

/// What the runtime said of a notify descriptor.
///
/// It is kept together with the descriptor, and another version may read it: its keys are part
/// of the contract between versions.
struct ListenerOrigin: Fields {
    /// The container; nil if the runtime's message was not understood.
    var id: String?
    /// The container's first process, as the daemon counts.
    var pid: Int32?

    init() {}

    init(id: String?, pid: Int32? = nil) {
        self.id = id
        self.pid = pid
    }

    mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.optional("id", &id)
        try fields.optional("pid", &pid)
    }
}

/// A notify descriptor that is served: one per process tree, that is one for a container and
/// one for each process that was brought into it later.
final class AgentListener: @unchecked Sendable {
    /// Its number, which it keeps when another process takes it over. Never 0.
    let token: UInt64
    let origin: ListenerOrigin
    private let held: HeldDescriptor
    var descriptor: FileDescriptor { _read { yield held.descriptor } }

    // What follows belongs to the thread that serves the listener at the moment.

    /// The registered container that `origin` has been found to mean.
    var container: Container?
    var seen = SeenMeminfoCache()
    /// What the last caller sees at `/proc/meminfo`.
    var lastSeen: (tid: Int32, seen: SeenMeminfo, time: UInt64)?
    private var windowStart: UInt64 = 0
    private var callsInWindow = 0

    /// Calls in one window; those beyond wait for the next one. Programs ask a few times in
    /// their life.
    private static let callLimit = 64
    /// In nanoseconds.
    private static let window: UInt64 = 10_000_000

    /// Counts a call that has been answered.
    ///
    /// - Returns: until when the next one has to wait, on the monotonic clock; nil if it need
    ///   not.
    func countCall(now: UInt64 = Clock.monotonic()) -> UInt64? {
        if clampedDifference(now, windowStart) >= Self.window {
            windowStart = now
            callsInWindow = 0
        }
        callsInWindow += 1
        return callsInWindow >= Self.callLimit ? windowStart + Self.window : nil
    }

    init(_ descriptor: HeldDescriptor, token: UInt64, origin: ListenerOrigin) {
        held = descriptor
        self.token = token
        self.origin = origin
    }
}

/// Somebody who keeps notify descriptors beyond the life of this process. Without one of them
/// open anywhere, intercepted calls fail with `ENOSYS`.
protocol ListenerStore: AnyObject, Sendable {
    func keep(_ listener: AgentListener)
    func forget(_ listener: AgentListener)
}

/// The notify descriptors that are served: the one place where they come and go.
final class AgentListeners: @unchecked Sendable {
    private let lock = Lock()
    private let store: (any ListenerStore)?
    private var byToken: [UInt64: AgentListener] = [:]
    private var nextToken: UInt64 = 1

    init(store: (any ListenerStore)? = nil) { self.store = store }

    /// A number that neither a listener nor a connection has had.
    func takeToken() -> UInt64 {
        lock.withLock {
            defer { nextToken += 1 }
            return nextToken
        }
    }

    func add(_ descriptor: HeldDescriptor, _ origin: ListenerOrigin) -> AgentListener {
        let listener = AgentListener(descriptor, token: takeToken(), origin: origin)
        lock.withLock { byToken[listener.token] = listener }
        store?.keep(listener)
        return listener
    }

    /// Adds one that another process had, which is kept already.
    func adopt(
        _ descriptor: HeldDescriptor, _ origin: ListenerOrigin, token: UInt64
    ) -> AgentListener {
        let listener = AgentListener(descriptor, token: token, origin: origin)
        lock.withLock {
            nextToken = max(nextToken, token + 1)
            byToken[token] = listener
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
        _ = lock.withLock { byToken.removeValue(forKey: listener.token) }
    }

    subscript(token: UInt64) -> AgentListener? { lock.withLock { byToken[token] } }

    var count: Int { lock.withLock { byToken.count } }
}
