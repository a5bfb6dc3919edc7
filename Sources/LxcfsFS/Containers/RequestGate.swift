import Synchronization
import Syscalls

/// How many threads work for one container, and which of its requests wait for one.
///
/// The same for all ways by which the container is found, see ``RequestGates``.
final class RequestGate: Sendable {
    /// Threads that answer requests of one container at one time, on both connections together.
    static let mostThreads = 2
    /// Requests of one container that wait for a thread at one time.
    static let mostWaiting = 256

    private let working = Atomic<Int>(0)
    private let waiting = Atomic<Int>(0)
    /// How often something has happened for which requests are put off.
    private let changeCount = Atomic<Int>(0)
    private let putOffs = Atomic<Int>(0)
    private let ended: @Sendable () -> Void
    /// What these threads have worked.
    let account = CPUAccount()
    /// What looks at its threads have taken.
    let looks = LookShare()
    /// Who pays for what its processes have open; nil if it is not registered.
    let payer: Payer?
    /// Records of counters that its pid namespaces and cgroups have, see ``CounterRecords``.
    let records = Permits(RequestGate.mostRecords)
    /// Of `CounterRecords.count` for all: more than one container is given, and too few to come upon
    /// another's.
    private static let mostRecords = 64

    /// - Parameter ended: called when nobody has it any more.
    init(_ payer: Payer? = nil, ended: @escaping @Sendable () -> Void = {}) {
        self.payer = payer
        self.ended = ended
    }

    deinit { ended() }

    /// Whether the calling thread may work for the container at once. Not while others of its
    /// requests wait: these were first; and not while it has had more than its share.
    func enter() -> Bool {
        if account.isOverdrawn { return false }
        if waiting.load(ordering: .sequentiallyConsistent) > 0 { return false }
        return reserve()
    }

    /// Takes the right to have one more thread work, for the next request that waits.
    func reserve() -> Bool {
        var seen = working.load(ordering: .relaxed)
        while seen < Self.mostThreads {
            let (isDone, now) = working.weakCompareExchange(
                expected: seen, desired: seen + 1, ordering: .sequentiallyConsistent)
            if isDone { return true }
            seen = now
        }
        return false
    }

    /// A thread has finished its work for the container.
    ///
    /// - Returns: whether others of its requests wait. (Who adds one looks for room after that,
    ///   so one of the two sees the other.)
    func leave() -> Bool {
        working.subtract(1, ordering: .sequentiallyConsistent)
        return waiting.load(ordering: .sequentiallyConsistent) > 0
    }

    var waitingCount: Int { waiting.load(ordering: .sequentiallyConsistent) }
    func addWaiting() { waiting.add(1, ordering: .sequentiallyConsistent) }
    func removeWaiting() { waiting.subtract(1, ordering: .sequentiallyConsistent) }

    // MARK: - Requests that are put off

    var changes: Int { changeCount.load(ordering: .sequentiallyConsistent) }

    /// What requests are put off for has happened.
    ///
    /// - Returns: whether there are such. (Who puts one off looks at ``changes`` after that.)
    func change() -> Bool {
        changeCount.add(1, ordering: .sequentiallyConsistent)
        return putOffs.load(ordering: .sequentiallyConsistent) > 0
    }

    var putOffCount: Int { putOffs.load(ordering: .sequentiallyConsistent) }
    func addPutOff() { putOffs.add(1, ordering: .sequentiallyConsistent) }
    func removePutOffs(_ count: Int) {
        putOffs.subtract(count, ordering: .sequentiallyConsistent)
    }
}
