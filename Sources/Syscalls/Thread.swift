import CLinux
import Glibc

/// Runs `body` on a new, detached thread with all signals blocked: signals are for the main
/// thread.
public func startThread(_ name: String, _ body: @escaping @Sendable () -> Void)
    throws(SystemError)
{
    final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
    var thread = pthread_t()
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 512 << 10)
    let start = Unmanaged.passRetained(Start(name, body))
    var blocked = sigset_t()
    var former = sigset_t()
    sigfillset(&blocked)
    pthread_sigmask(SIG_SETMASK, &blocked, &former)
    let result = pthread_create(
        &thread, &attributes,
        { argument in
            guard let argument else { return nil }
            let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
            pthread_setname_np(pthread_self(), start.name)
            start.body()
            return nil
        }, start.toOpaque())
    pthread_sigmask(SIG_SETMASK, &former, nil)
    if result != 0 {
        start.release()
        throw SystemError("start thread", name, errno: result)
    }
}

/// Closes descriptors for the calling thread alone, which has a table of its own from then on
/// (unshare(2) with `CLONE_FILES`): the process keeps them, and what it opens later the thread
/// does not have.
public func closeForThisThread(_ numbers: [CInt]) throws(SystemError) {
    _ = try check(clinux_unshare_files(), "have descriptors of", "a thread's own")
    for number in numbers { close(number) }
}

/// Sleeps until a moment of the monotonic clock; in nanoseconds.
public func sleep(until time: UInt64) {
    while case let now = Clock.monotonic(), now < time {
        let rest = time - now
        var wait = timespec(
            tv_sec: Int(rest / 1_000_000_000), tv_nsec: Int(rest % 1_000_000_000))
        nanosleep(&wait, nil)
    }
}
