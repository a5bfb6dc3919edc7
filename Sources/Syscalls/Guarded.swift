/// A value that one thread at a time may touch, with a lock around it.
///
/// As `Synchronization.Mutex`, so the compiler checks that nothing of the value gets out without
/// the lock. Beside it because ThreadSanitizer sees pthread_mutex_lock(3) and not the futex of
/// that one, whose every use it takes for a race; and because that futex is one with priority
/// inheritance, which hands itself to a thread that does not run yet.
public final class Guarded<Value>: @unchecked Sendable {
    private let lock = Lock()
    private var value: Value

    public init(_ value: consuming sending Value) { self.value = value }

    /// Calls `body` while no other thread has the value. It must not call this again.
    public func withLock<Result, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
