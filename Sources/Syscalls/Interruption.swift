import CLinux
import Glibc

/// Signals that do nothing but interrupt a thread that waits in a system call.
public enum Interruption {
    /// Makes `signal` interrupt, in threads that do not block it.
    public static func prepare(_ signal: CInt) throws(SystemError) {
        _ = try check(clinux_interrupt_by(signal), "handle", "signal \(signal)")
    }

    /// Lets the calling thread be interrupted.
    public static func allow(_ signal: CInt) throws(SystemError) {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, signal)
        let code = pthread_sigmask(SIG_UNBLOCK, &set, nil)
        if code != 0 { throw SystemError("unblock", "signal \(signal)", errno: code) }
    }
}
