import CFuse3
import Cgroups
import Glibc
import Syscalls

/// One open pressure file with the trigger that has been written to it, if any
/// (Documentation/accounting/psi.rst): the trigger is the kernel's, on the container's own
/// file, and lives as long as the open file.
final class PressureTrigger: @unchecked Sendable {
    let file: FileDescriptor
    private let lock = Lock()
    private var hasTrigger = false
    /// An event that nobody has been told yet.
    private var event = false
    /// The cgroup is gone.
    private var failed = false
    /// Whom to wake.
    private var waiter: OpaquePointer?

    init(_ file: consuming FileDescriptor) { self.file = file }

    deinit {
        endsWatch?()
        if let waiter { fuse_pollhandle_destroy(waiter) }
    }

    /// Called at its end, if a watcher waits for its events.
    var endsWatch: (@Sendable () -> Void)?

    /// Hands `text` to the kernel.
    ///
    /// - Throws: what the kernel says: `EINVAL` for nonsense, `EBUSY` for a second trigger.
    /// - Returns: whether this is the first one: it has to be watched.
    func write(_ text: UnsafeRawBufferPointer) throws(SystemError) -> Bool {
        if Glibc.write(file.raw, text.baseAddress, text.count) < 0 {
            throw SystemError("write a trigger to", "pressure file", errno: errno)
        }
        return lock.withLock {
            defer { hasTrigger = true }
            return !hasTrigger
        }
    }

    /// Answers poll(2), as the kernel's file does: an event is told once.
    ///
    /// - Parameter handle: whom to wake at the next event; taken over.
    func poll(_ handle: OpaquePointer?) -> UInt32 {
        lock.withLock {
            if let handle {
                if let waiter { fuse_pollhandle_destroy(waiter) }
                waiter = handle
            }
            if failed || !hasTrigger { return Self.without }
            defer { event = false }
            return event ? Self.ready | UInt32(POLLPRI) : Self.ready
        }
    }

    /// What poll(2) says of every file of procfs.
    static let ready = UInt32(POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)
    /// What it says of a pressure file without a trigger.
    static let without = ready | UInt32(POLLERR | POLLPRI)

    /// - Parameter failed: there will not be another event.
    func happened(failed gone: Bool) {
        lock.withLock {
            event = true
            failed = failed || gone
            guard let waiter else { return }
            self.waiter = nil
            fuse_lowlevel_notify_poll(waiter)
            fuse_pollhandle_destroy(waiter)
        }
    }
}

extension PressureTrigger {
    /// The file behind a pressure file that is opened for writing, with no more privileges
    /// than the caller has.
    static func open(
        _ kind: PressureKind, _ container: Container, caller: pid_t, _ host: Host
    ) throws(SystemError) -> PressureTrigger {
        let privileged = hasSystemResource(caller, host)
        if container.isHost {
            return PressureTrigger(
                try openPressure(kind.rawValue, ofHost: host.roots.proc, privileged: privileged)
            )
        }
        return PressureTrigger(
            try container.cgroups.openPressure(kind, privileged: privileged))
    }

    /// Whether the thread has CAP_SYS_RESOURCE where it counts: in our user namespace.
    private static func hasSystemResource(_ tid: pid_t, _ host: Host) -> Bool {
        guard let own = try? NamespaceID.own(.user, host.roots.proc),
            let its = try? NamespaceID.of(tid, .user, host.roots.proc), own == its
        else { return false }
        return (try? Capability.resources.isInEffect(inThread: tid)) ?? false
    }
}
