import CLinux
import Glibc

/// The operations on a notify descriptor (seccomp_unotify(2)).
public enum SeccompNotify {
    /// - Throws: `ENOSYS` or `EINVAL` from a kernel without user notification.
    public static func checkKernel() throws(SystemError) {
        _ = try check(clinux_seccomp_check_sizes(), "use", "seccomp user notification")
    }

    /// Whether a descriptor is one for notifications.
    public static func isListener(_ descriptor: borrowing FileDescriptor) -> Bool {
        // No call has this id, or the agent would have received it.
        let result = clinux_seccomp_is_valid(descriptor.raw, 0)
        return result == 0 || result == -ENOENT
    }

    /// Takes the next call. Only when the descriptor is readable: otherwise it waits.
    ///
    /// - Parameter listener: a number other than 0 by which the next process finds the
    ///   descriptor.
    /// - Returns: nil when the caller has been killed or interrupted meanwhile.
    public static func receive(
        _ descriptor: borrowing FileDescriptor, listener: UInt64, into slot: NotificationSlot
    ) throws(SystemError) -> InterceptedCall? {
        let result = slot.receive(descriptor.raw, listener: listener)
        if result == -ENOENT || result == -EINTR { return nil }
        _ = try check(result, "receive from", "seccomp listener \(descriptor.raw)")
        return slot.call
    }

    /// Whether the caller still waits. What was opened by its thread number before is then
    /// its own, and not another thread's that got the same number later.
    public static func isWaiting(
        _ descriptor: borrowing FileDescriptor, _ id: UInt64
    ) -> Bool {
        clinux_seccomp_is_valid(descriptor.raw, id) == 0
    }

    /// The call returns `value`. A caller that has gone away is no error.
    public static func finish(
        _ descriptor: borrowing FileDescriptor, _ id: UInt64, returning value: Int64
    ) throws(SystemError) {
        try checkSent(clinux_seccomp_return(descriptor.raw, id, value), descriptor)
    }

    /// The kernel carries the call out as if nobody had asked
    /// (`SECCOMP_USER_NOTIF_FLAG_CONTINUE`). A caller that has gone away is no error.
    public static func pass(
        _ descriptor: borrowing FileDescriptor, _ id: UInt64
    ) throws(SystemError) {
        try checkSent(clinux_seccomp_continue(descriptor.raw, id), descriptor)
    }

    /// The call fails with `errno`, which is positive. A caller that has gone away is no error.
    public static func refuse(
        _ descriptor: borrowing FileDescriptor, _ id: UInt64, _ errno: CInt
    ) throws(SystemError) {
        try checkSent(clinux_seccomp_refuse(descriptor.raw, id, errno), descriptor)
    }

    private static func checkSent(
        _ result: CInt, _ descriptor: borrowing FileDescriptor
    ) throws(SystemError) {
        // EINPROGRESS: it has been answered already.
        if result == -ENOENT || result == -EINPROGRESS { return }
        _ = try check(result, "answer", "seccomp listener \(descriptor.raw)")
    }

    /// Lets a caller continue on the CPU on which it is answered, where the kernel can
    /// (Linux 6.6): it waits, so nothing else is to be done there.
    public static func wakeHere(_ descriptor: borrowing FileDescriptor) {
        _ = clinux_seccomp_wake_here(descriptor.raw)
    }
}
