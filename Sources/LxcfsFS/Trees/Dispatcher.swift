import Glibc
import Logging
import LxcfsHandover
import Synchronization
import Syscalls

/// Has requests answered that the threads that receive cannot answer themselves: because their
/// container has its threads already (``RequestGate``), or because the last thread that receives
/// never does anything else.
///
/// They wait in memory that the next worker sees (``AsideRequests``), and are answered by helpers,
/// threads that are started when they are needed. Containers whose requests need not wait go
/// before those that have more than their threads, and of these each gets one answered in turn.
final class Dispatcher: @unchecked Sendable {
    /// Helpers at one time. More than wait at most: in pushes (``PagePermits/mostPushes``) and
    /// for sizes.
    static let mostHelpers = 32
    /// How long one that has nothing to do waits for work, in nanoseconds.
    private static let patience: UInt64 = 1_000_000_000

    private let places: AsideRequests
    private let log: Logger
    /// Answers a request at that place.
    private var answer: (@Sendable (_ place: Int, _ isReplaying: Bool) -> Void)?
    /// Helpers that work for containers whose requests have to wait, at one time.
    private let mostBusy = max(sysconf(CInt(_SC_NPROCESSORS_ONLN)), 2)

    private let lock = Lock()
    private var free: [Int] = []
    private var queues: [ObjectIdentifier: Queue] = [:]
    /// Containers that may have a request answered, once for each.
    private var soon: [Queue] = []
    private var inTurn: [Queue] = []
    private var helpers = 0
    private var idle = 0
    private let wakeups = Permits(0)
    /// Helpers that work and do not wait for a container.
    private let busy = Atomic<Int>(0)
    /// As many as `inTurn`.
    private let turns = Atomic<Int>(0)
    private let total = Atomic<UInt64>(0)

    /// The requests of one container that wait.
    private final class Queue {
        let gate: RequestGate
        var places: [(place: Int, isReplaying: Bool)] = []
        /// Of these no thread has been reserved for so many.
        var unreserved = 0
        /// Some of them have waited for a thread of the container.
        var isLong = false

        init(_ gate: RequestGate) { self.gate = gate }
    }

    init(_ places: AsideRequests, log: Logger) {
        self.places = places
        self.log = log
    }

    /// Before the first request.
    ///
    /// - Parameter answer: answers the request at a place, and returns when that is done.
    /// - Throws: what pthread_create(3) says.
    func start(
        _ answer: @escaping @Sendable (_ place: Int, _ isReplaying: Bool) -> Void
    ) throws(SystemError) {
        self.answer = answer
        lock.lock()
        defer { lock.unlock() }
        free = (0..<AsideRequests.count).reversed().filter { places.state($0) == .free }
        // One is always there, whatever the limits of the machine are later.
        helpers = 1
        try startHelper()
    }

    /// How many requests have been put aside.
    var count: UInt64 { total.load(ordering: .relaxed) }

    // MARK: - Requests come

    /// Takes a request over, which the caller then clears.
    ///
    /// - Returns: false if the container has too many that wait.
    func putAside(
        _ request: PendingRequest, _ connection: FUSEConnection, _ gate: RequestGate,
        isReplaying: Bool = false
    ) -> Bool {
        guard request.size <= AsideRequests.room else { return false }
        lock.lock()
        defer { lock.unlock() }
        // What is free is left to others in part, however many containers do this.
        guard gate.waitingCount < min(RequestGate.mostWaiting, free.count),
            let place = free.popLast()
        else { return false }
        places.put(request, connection, at: place)
        total.add(1, ordering: .relaxed)
        add(place, gate, isReplaying: isReplaying)
        return true
    }

    /// Takes up a request that an earlier worker has put aside.
    func takeUp(_ place: Int, _ gate: RequestGate) {
        places.set(.waiting, place)
        lock.withLock { add(place, gate, isReplaying: true) }
    }

    private func add(_ place: Int, _ gate: RequestGate, isReplaying: Bool) {
        let key = ObjectIdentifier(gate)
        let queue = queues[key] ?? Queue(gate)
        queues[key] = queue
        queue.places.append((place, isReplaying))
        queue.unreserved += 1
        gate.addWaiting()
        schedule(queue)
        if queue.unreserved > 0 { queue.isLong = true }
    }

    /// A thread has finished its work for a container.
    func left(_ gate: RequestGate) {
        guard gate.leave() else { return }
        lock.withLock { if let queue = queues[ObjectIdentifier(gate)] { schedule(queue) } }
    }

    private func schedule(_ queue: Queue) {
        while queue.unreserved > 0, queue.gate.reserve() {
            queue.unreserved -= 1
            if queue.isLong {
                inTurn.append(queue)
                turns.add(1, ordering: .relaxed)
            } else {
                soon.append(queue)
            }
            wakeHelper()
        }
    }

    // MARK: - Helpers

    private var hasWork: Bool {
        !soon.isEmpty || !inTurn.isEmpty && busy.load(ordering: .relaxed) < mostBusy
    }

    private func wakeHelper() {
        guard hasWork else { return }
        if idle > 0 {
            idle -= 1
            wakeups.give()
        } else if helpers < Self.mostHelpers {
            helpers += 1
            do throws(SystemError) {
                try startHelper()
            } catch {
                helpers -= 1
                log.warning("requests wait for a thread: \(error)")
            }
        }
    }

    private func startHelper() throws(SystemError) {
        try startThread("helper") { [self] in help() }
    }

    private func help() {
        let workspace = Workspace.current
        workspace.isHelper = true
        while let (queue, place, isReplaying) = next() {
            workspace.heldUp = places[place].heldUp
            answer?(place, isReplaying)
            workspace.heldUp = nil
            places.set(.free, place)
            busy.subtract(1, ordering: .relaxed)
            lock.withLock { free.append(place) }
            left(queue.gate)
        }
    }

    /// Waits for work; nil if there has been none for some time.
    private func next() -> (Queue, place: Int, isReplaying: Bool)? {
        while true {
            lock.lock()
            if hasWork {
                let work = takeWork()
                lock.unlock()
                return work
            }
            idle += 1
            lock.unlock()
            if wakeups.take(within: Self.patience) { continue }
            lock.lock()
            // Who gives a wakeup has counted this thread out already.
            if !wakeups.take(within: 0) {
                idle -= 1
                if helpers > 1 {
                    helpers -= 1
                    lock.unlock()
                    return nil
                }
            }
            lock.unlock()
        }
    }

    private func takeWork() -> (Queue, place: Int, isReplaying: Bool) {
        let queue: Queue
        if soon.isEmpty {
            queue = inTurn.removeFirst()
            turns.subtract(1, ordering: .relaxed)
        } else {
            queue = soon.removeFirst()
        }
        let (place, isReplaying) = queue.places.removeFirst()
        queue.gate.removeWaiting()
        if queue.places.isEmpty { queues[ObjectIdentifier(queue.gate)] = nil }
        busy.add(1, ordering: .relaxed)
        places.set(.answering, place)
        // One thread wakes the next.
        if hasWork { wakeHelper() }
        return (queue, place, isReplaying)
    }

    /// A helper waits for what only its container decides: others go on without it.
    func helperWaits() {
        busy.subtract(1, ordering: .relaxed)
        if turns.load(ordering: .relaxed) > 0 { lock.withLock { wakeHelper() } }
    }

    func helperGoesOn() { busy.add(1, ordering: .relaxed) }

    // MARK: - The end

    /// Waits until nothing waits any more, or until `deadline`: what is left is up to the next
    /// worker.
    func finish(deadline: UInt64) {
        while lock.withLock({ free.count < AsideRequests.count }) {
            if Clock.monotonic() > deadline { return }
            usleep(500)
        }
    }
}
