import Control
import JSON
import LxcfsHandover
import Syscalls

/// Has the keeper keep notify descriptors: without one of them open anywhere, calls that are
/// intercepted fail with `ENOSYS`.
final class StoredListeners: ListenerStore {
    private let link: WorkerEnd

    private static let prefix = "seccomp:"

    init(_ link: WorkerEnd) { self.link = link }

    func keep(_ listener: AgentListener) throws {
        try link.keep(
            listener.descriptor, name: Self.name(listener.token),
            payload: Self.payload(listener.origin))
    }

    /// A name that is too long to be kept is left out: calls are answered without it, too.
    static func payload(_ origin: ListenerOrigin) -> String {
        let whole = String(decoding: encodeLine(origin), as: UTF8.self)
        if whole.utf8.count <= NamedDescriptor.payloadLimit { return whole }
        var rest = origin
        rest.id = nil
        return String(decoding: encodeLine(rest), as: UTF8.self)
    }

    func forget(_ listener: AgentListener) throws {
        try link.forget(name: Self.name(listener.token))
    }

    private static func name(_ token: UInt64) -> String { prefix + "\(token)" }

    /// The number of the listener that is kept under `name`; nil if it is something else.
    static func token(_ name: String) -> UInt64? {
        guard name.hasPrefix(prefix), let token = UInt64(name.dropFirst(prefix.count)),
            tokens.contains(token)
        else { return nil }
        return token
    }

    /// No worker counts so far. One that has been taken over may have had something kept under
    /// a larger number, after which the next ones could not count on.
    private static let tokens: ClosedRange<UInt64> = 1...1 << 62

    /// What ``keep(_:)`` has written.
    static func origin(_ payload: String) -> ListenerOrigin {
        // Of a later version, perhaps. It is only needed to be quick.
        (try? ListenerOrigin(JSONText(Array(payload.utf8), keepsUnknown: false).root))
            ?? ListenerOrigin()
    }
}

extension Agent {
    /// Takes up what has been kept; everything that is not a listener is closed.
    func adopt(_ kept: consuming NamedDescriptor) throws(SystemError) {
        guard let token = StoredListeners.token(kept.name) else { return }
        let origin = StoredListeners.origin(kept.payload)
        try adopt(HeldDescriptor(kept.takeDescriptor()), origin, token: token)
    }
}
