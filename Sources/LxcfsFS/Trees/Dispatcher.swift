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

    /// Answers the request at a place, and returns when that is done.
    ///
    /// - Returns: false if it is put off.
    typealias Answer =
        @Sendable (_ item: Item, _ gate: RequestGate) -> Bool

    /// A request that waits for a thread.
    struct Item {
        let place: Int
        /// It may have been answered by an earlier worker.
        let isReplaying: Bool
        /// It has been put off before.
        var isSecondTry = false
    }

    private let places: AsideRequests
    private let log: Logger
    private var answer: Answer?
    /// Helpers that work for containers whose requests have to wait, at one time.
    private let mostBusy = max(sysconf(CInt(_SC_NPROCESSORS_ONLN)), 2)

    private let lock = Lock()
    private var free: [Int] = []
    private var queues: [ObjectIdentifier: Queue] = [:]
    private var putOffs: [ObjectIdentifier: [Item]] = [:]
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
        var items: [Item] = []
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
    /// - Throws: what pthread_create(3) says.
    func start(_ answer: @escaping Answer) throws(SystemError) {
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
        lock.lock()
        defer { lock.unlock() }
        guard let place = take(request, connection, gate) else { return false }
        total.add(1, ordering: .relaxed)
        add(Item(place: place, isReplaying: isReplaying), gate)
        return true
    }

    /// The same for a request that is put off until something happens
    /// (``RequestGate/changes``).
    ///
    /// - Parameter changes: when the calling thread began with it.
    func putOff(
        _ request: PendingRequest, _ connection: FUSEConnection, _ gate: RequestGate,
        changes: Int, isReplaying: Bool
    ) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        guard let place = take(request, connection, gate) else { return false }
        putOff(
            Item(place: place, isReplaying: isReplaying, isSecondTry: true), gate,
            changes: changes)
        return true
    }

    private func take(
        _ request: PendingRequest, _ connection: FUSEConnection, _ gate: RequestGate
    ) -> Int? {
        guard request.size <= AsideRequests.room,
            gate.waitingCount + gate.putOffCount < limit, let place = free.popLast()
        else { return nil }
        places.put(request, connection, at: place)
        return place
    }

    /// How many requests of one container may wait now. Most of what is free is left to others,
    /// however many containers have as many as they may.
    private var limit: Int { min(RequestGate.mostWaiting, max(free.count / 16, 1)) }

    private func putOff(_ item: Item, _ gate: RequestGate, changes: Int) {
        gate.addPutOff()
        guard gate.changes == changes else {
            gate.removePutOffs(1)
            add(item, gate)
            return
        }
        putOffs[ObjectIdentifier(gate), default: []].append(item)
    }

    /// What requests of a container have been put off for has happened.
    func goOn(_ gate: RequestGate) {
        guard gate.change() else { return }
        lock.lock()
        defer { lock.unlock() }
        guard let items = putOffs.removeValue(forKey: ObjectIdentifier(gate)) else { return }
        gate.removePutOffs(items.count)
        for item in items { add(item, gate) }
    }

    /// Takes up a request that an earlier worker has put aside.
    func takeUp(_ place: Int, _ gate: RequestGate) {
        places.set(.waiting, place)
        lock.withLock { add(Item(place: place, isReplaying: true), gate) }
    }

    private func add(_ item: Item, _ gate: RequestGate) {
        let key = ObjectIdentifier(gate)
        let queue = queues[key] ?? Queue(gate)
        queues[key] = queue
        queue.items.append(item)
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
        while true {
            let start = workspace.beginWork()
            guard let (gate, item) = next() else { return }
            workspace.heldUp = places[item.place].heldUp
            if gate.account.isOverdrawn { waitForPay(gate, workspace) }
            let isDone = answer?(item, gate) ?? true
            workspace.heldUp = nil
            busy.subtract(1, ordering: .relaxed)
            lock.lock()
            if isDone {
                places.set(.free, item.place)
                free.append(item.place)
            } else {
                places.set(.waiting, item.place)
                var item = item
                item.isSecondTry = true
                putOff(item, gate, changes: workspace.changes)
            }
            lock.unlock()
            left(gate)
            if let start { gate.account.charge(since: start) }
        }
    }

    /// The container has had more than its share of CPU time.
    private func waitForPay(_ gate: RequestGate, _ workspace: Workspace) {
        let wait = gate.account.wait(now: Clock.monotonic())
        if wait == 0 { return }
        _ = workspace.beginWaiting()
        helperWaits()
        usleep(UInt32(wait / 1000))
        helperGoesOn()
        _ = workspace.endWaiting()
    }

    /// Waits for work; nil if there has been none for some time.
    private func next() -> (RequestGate, Item)? {
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

    private func takeWork() -> (RequestGate, Item) {
        let queue: Queue
        if soon.isEmpty {
            queue = inTurn.removeFirst()
            turns.subtract(1, ordering: .relaxed)
        } else {
            queue = soon.removeFirst()
        }
        let item = queue.items.removeFirst()
        queue.gate.removeWaiting()
        if queue.items.isEmpty { queues[ObjectIdentifier(queue.gate)] = nil }
        busy.add(1, ordering: .relaxed)
        places.set(.answering, item.place)
        // One thread wakes the next.
        if hasWork { wakeHelper() }
        return (queue.gate, item)
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
