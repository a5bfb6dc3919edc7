import Syscalls

/// A notify descriptor that is served: one per process tree, that is one for a container and
/// one for each process that was brought into it later.
final class AgentListener: @unchecked Sendable {
    /// Its number, which it keeps when another process takes it over. Never 0.
    let token: UInt64
    let origin: ListenerOrigin
    /// That of its container, with whose other listeners it shares it.
    let share: AgentShare
    private let held: HeldDescriptor
    var descriptor: FileDescriptor { _read { yield held.descriptor } }

    // What follows belongs to the thread that serves the listener at the moment.

    /// The registered container that `origin` has been found to mean.
    var container: Container?
    var seen = SeenMeminfoCache()
    /// What the last caller sees at `/proc/meminfo`.
    var lastSeen: (tid: Int32, seen: SeenMeminfo, time: UInt64)?

    init(
        _ descriptor: HeldDescriptor, token: UInt64, origin: ListenerOrigin, share: AgentShare
    ) {
        held = descriptor
        self.token = token
        self.origin = origin
        self.share = share
    }
}
