import CLinux
import Glibc

/// A copy of this process (fork(2)). Only for a process with a single thread.
public struct ForkedProcess: Sendable {
    public let pid: pid_t

    /// - Parameter body: what the child does; it ends with this exit code, and without a word when
    ///   this process does.
    public init(_ body: () -> CInt) throws(SystemError) {
        let parent = getpid()
        let number = try check(clinux_fork(), "make a copy of", "this process")
        if number == 0 {
            _ = clinux_set_death_signal(SIGKILL)
            // It may have ended before that.
            _exit(getppid() == parent ? body() : 1)
        }
        pid = number
    }

    public func kill() { _ = Glibc.kill(pid, SIGKILL) }

    /// Waits for its end.
    ///
    /// - Returns: its exit code, or 128 and the signal that killed it.
    public func wait() throws(SystemError) -> CInt {
        try check(clinux_wait(pid), "wait for", "process \(pid)")
    }

    /// Whether it ends within `milliseconds`: in the kernel it may wait for something that does
    /// not come, even if it has been killed.
    public func ends(within milliseconds: CInt) -> Bool {
        guard let process = try? openProcess(pid) else { return true }
        var entry = pollfd(fd: process.raw, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }
}

/// Ends this process with `code` after some time, whatever it waits for then, unless it cannot be
/// interrupted.
public func exitProcess(afterMilliseconds time: Int, code: CInt) throws(SystemError) {
    _ = try check(
        clinux_exit_after(CInt(clamping: time), code), "set a timer for", "this process")
}

/// Closes all descriptors from `low` on, whoever has opened them.
public func closeDescriptors(from low: CInt) throws(SystemError) {
    _ = try check(clinux_close_from(low), "close", "descriptors")
}
