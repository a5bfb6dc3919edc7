import CLinux
import Glibc

/// pidfd_open(2): readable when process `pid` has ended.
public func openProcess(_ pid: pid_t) throws(SystemError) -> FileDescriptor {
    FileDescriptor(owning: try check(clinux_pidfd_open(pid), "open process", "\(pid)"))
}

/// Whether the process of a pidfd still exists (it may be a zombie).
public func processExists(_ pidfd: borrowing FileDescriptor) -> Bool {
    clinux_pidfd_send_signal(pidfd.raw, 0) != -ESRCH
}

/// Whether the process of a pidfd has ended, be it a zombie.
public func processHasEnded(_ pidfd: borrowing FileDescriptor) -> Bool {
    var entry = pollfd(fd: pidfd.raw, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 0) > 0
}

/// The number that process `pid` of a pid namespace has in ours (`NS_GET_PID_FROM_PIDNS`,
/// Linux 6.11; older kernels answer `ENOTTY`).
public func processID(
    _ pid: pid_t, in namespace: borrowing FileDescriptor
) throws(SystemError) -> pid_t {
    try check(clinux_pid_from_pidns(namespace.raw, pid), "find process of namespace", "\(pid)")
}
