import KernelText
import Syscalls

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
