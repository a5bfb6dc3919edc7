import Syscalls

/// A runtime that hands over a notify descriptor, until it has said everything.
///
/// Belongs to the thread that deals with it: ``AgentConnections/take(_:)``.
final class AgentConnection: @unchecked Sendable {
    let token: UInt64
    let socket: FileDescriptor
    /// The process that has connected; 0 if it cannot be seen from here.
    let peer: Int32
    /// On the monotonic clock, in nanoseconds.
    let deadline: UInt64
    var message = AgentMessage()
    /// Notify descriptors, and nothing else.
    private(set) var listeners: [HeldDescriptor] = []
    /// It is in the poller.
    var isWatched = false

    /// Notify descriptors from one connection. Runtimes send one.
    static let listenerLimit = 16

    init(_ socket: consuming FileDescriptor, token: UInt64, peer: Int32, deadline: UInt64) {
        self.token = token
        self.socket = socket
        self.peer = peer
        self.deadline = deadline
    }

    /// Takes notify descriptors; others are closed.
    ///
    /// - Returns: false if there are too many.
    func take(_ descriptors: [HeldDescriptor]) -> Bool {
        for held in descriptors where SeccompNotify.isListener(held.descriptor) {
            guard listeners.count < Self.listenerLimit else { return false }
            listeners.append(held)
        }
        return true
    }

    /// It has said something already.
    var hasSpoken: Bool { !message.text.isEmpty || !listeners.isEmpty }
}
