import Glibc
import Logging
import Syscalls

/// Decides what the keeper does with its workers: when to start, end and replace them.
///
/// It does nothing itself. ``KeeperLoop`` tells it what has happened, and does what it
/// answers, in that order. Times are nanoseconds on the monotonic clock.
struct Supervisor {
    /// From which program a worker is started.
    enum Program: Equatable {
        /// The one that has shown that it works.
        case current
        /// The one that is now on disk.
        case onDisk
    }

    /// What has happened.
    enum Event {
        /// Time has passed, see ``dueTime``.
        case tick
        /// What ``Action/start(_:afterCrash:)`` has started.
        case started(pid_t, Program)
        /// Why that has failed.
        case notStarted(Program, String)
        /// A worker is prepared.
        case ready(pid_t)
        /// A worker answers requests.
        ///
        /// - `isOwnProgram`: this process runs the program that is now on disk.
        case serving(pid_t, isOwnProgram: Bool)
        /// A worker has answered ``Action/ask(_:)``.
        case answered(pid_t)
        /// ``Action/look(_:)``: it runs.
        ///
        /// - `requests`: as for ``HangWatch/look(at:)``.
        case looked(pid_t, requests: [UInt64])
        /// ``Action/look(_:)``: its first thread has ended, and it cannot be reaped.
        ///
        /// - `isStuck`: no thread of it will run again, see ``ChildProcess/isStuck(_:)``.
        case foundEnding(pid_t, isStuck: Bool)
        /// ``Action/examine(_:)``: no thread of it will run again.
        case stuck(pid_t)
        /// A worker is gone.
        case ended(ChildProcess.End)
        /// All mounts are there.
        case mountsComplete
        /// The administrator wants the version that is now on disk.
        case upgradeAsked
        /// Why ``Action/replaceKeeper`` has failed. The workers have ended.
        case notReplaced(String)
    }

    /// What is to be done.
    enum Action: Equatable {
        /// Start a worker; to be followed by ``Event/started(_:_:)`` or
        /// ``Event/notStarted(_:_:)``.
        case start(Program, afterCrash: Bool)
        /// Tell the worker to answer requests.
        case serve(pid_t)
        /// Tell the worker to finish what it answers, and to exit.
        case finish(pid_t)
        /// Ask the worker whether it is there.
        case ask(pid_t)
        /// Send SIGKILL.
        case kill(pid_t)
        /// Find out whether the worker runs; to be followed by ``Event/looked(_:requests:)`` or
        /// ``Event/foundEnding(_:isStuck:)``.
        case look(pid_t)
        /// Find out whether a worker that has been killed cannot end; to be followed by
        /// ``Event/stuck(_:)`` if so.
        case examine(pid_t)
        /// Take what the worker has sent before its end, and forget it.
        ///
        /// - `heir`: the worker that has to be told of it.
        case bury(pid_t, heir: pid_t?)
        /// The worker's program has shown that it works: others are started from it.
        case adoptProgram(pid_t)
        /// Have the mounts completed; to be followed by ``Event/mountsComplete``.
        case completeMounts
        /// Execute the program that is now on disk in the place of this process.
        case replaceKeeper
        /// Tell the service manager that containers are served.
        case tellServing
        /// Tell the service manager that an upgrade has begun.
        case tellUpgrading
        case log(Logger.Level, String)
        /// The daemon cannot start.
        case fail(String)
    }

    /// A process that has been killed is normally gone after some milliseconds.
    static let deathTime: UInt64 = 100_000_000
    /// How often to look then whether it cannot end.
    static let deathInterval: UInt64 = 10_000_000
    /// How long a worker may take to finish what it is answering.
    static let finishTime: UInt64 = 50_000_000
    /// How long a new worker may take to prepare itself, and then to begin to serve.
    static let prepareTime: UInt64 = 30_000_000_000
    /// How often to look whether the worker answers or is only half dead.
    static let lookInterval: UInt64 = 250_000_000
    /// Where that many workers are stuck, one more does not help.
    static let mostStuck = 4

    /// The worker that serves, or is about to.
    private(set) var current: SupervisedWorker?
    /// The worker that is to take over from it.
    private(set) var next: SupervisedWorker?
    private var pace = RestartPace()
    /// When to start a worker again.
    private var restartAt: UInt64? = 0
    /// The last worker was killed by a signal that says that it was at fault.
    private var isAfterCrash = false
    /// Workers that have been given up and are not gone.
    private var stuck: Set<pid_t> = []
    /// All mounts are there and are served.
    private var isComplete: Bool
    private var upgradeIsDue = false
    /// The keeper is to make way for one of the version that the worker has now.
    private var replacementIsDue = false

    /// - Parameter isComplete: all mounts are there already.
    init(isComplete: Bool) { self.isComplete = isComplete }

    /// When the next ``Event/tick`` has something to do; 0 for at once, nil for never.
    var dueTime: UInt64? {
        if upgradeIsDue || replacementIsDue, canUpgrade { return 0 }
        return [restartAt, current?.deadline, current?.lookAt, next?.deadline]
            .compactMap { $0 }.min()
    }

    /// Those that have not ended, or not been given up.
    var workers: [pid_t] { [current?.pid, next?.pid].compactMap { $0 } }

    /// Whether this is the end of a worker that served, and had not been told to finish.
    func isUnexpected(_ end: ChildProcess.End) -> Bool {
        guard let worker = current, worker.pid == end.pid, worker.servedSince != nil else {
            return false
        }
        switch worker.state {
        case .finishing: return false
        // One that took too long to finish, or that hung.
        case .killed(_, _, let isHung): return isHung
        case .starting, .ready, .beginning, .serving: return true
        }
    }

    private var canUpgrade: Bool { isComplete && next == nil && current?.isServing == true }

    mutating func handle(_ event: Event, now: UInt64) -> [Action] {
        switch event {
        case .tick: return tick(now)
        case .started(let pid, let program):
            started(pid, program, now)
            return []
        case .notStarted(let program, let reason): return notStarted(program, reason, now)
        case .ready(let pid): return ready(pid, now)
        case .serving(let pid, let isOwnProgram): return serving(pid, isOwnProgram, now)
        case .answered(let pid):
            if current?.pid == pid { current?.watch.answered() }
            return []
        case .looked(let pid, let requests): return looked(pid, requests, now)
        case .foundEnding(let pid, let isStuck): return foundEnding(pid, isStuck, now)
        case .stuck(let pid): return giveUp(pid, now)
        case .ended(let end):
            stuck.remove(end.pid)
            return ended(end, now)
        case .mountsComplete:
            isComplete = true
            return [.tellServing]
        case .upgradeAsked:
            upgradeIsDue = true
            return []
        case .notReplaced(let reason):
            current = nil
            next = nil
            return [
                .log(.error, "the keeper stays as it is: \(reason)"),
                .start(.current, afterCrash: isAfterCrash),
            ]
        }
    }

    // MARK: - Time

    private mutating func tick(_ now: UInt64) -> [Action] {
        var actions: [Action] = []
        if let time = restartAt, time <= now {
            restartAt = nil
            actions.append(.start(.current, afterCrash: isAfterCrash))
        }
        for which in [\Supervisor.current, \Supervisor.next] {
            guard let worker = self[keyPath: which], let time = worker.deadline, time <= now
            else { continue }
            actions += passDeadline(worker, which, now)
        }
        if let worker = current, let time = worker.lookAt, time <= now {
            current?.lookAt = now + Self.lookInterval
            actions.append(.look(worker.pid))
        }
        // An upgrade has time until there is nothing else to do, which is at once.
        if !actions.isEmpty { return actions }
        if upgradeIsDue, canUpgrade {
            upgradeIsDue = false
            return [.tellUpgrading, .start(.onDisk, afterCrash: isAfterCrash)]
        }
        if replacementIsDue, canUpgrade {
            replacementIsDue = false
            return [.replaceKeeper]
        }
        return []
    }

    private mutating func passDeadline(
        _ worker: SupervisedWorker, _ which: WritableKeyPath<Supervisor, SupervisedWorker?>,
        _ now: UInt64
    ) -> [Action] {
        switch worker.state {
        case .killed(let since, _, let isHung):
            self[keyPath: which]?.state = .killed(
                since: since, until: now + Self.deathInterval, isHung: isHung)
            return [.examine(worker.pid)]
        case .finishing:
            return end(which, isHung: false, now)
        case .starting, .ready, .beginning, .serving:
            return [.log(.error, "worker \(worker.pid) does not get ready")]
                + end(which, isHung: false, now)
        }
    }

    private mutating func end(
        _ which: WritableKeyPath<Supervisor, SupervisedWorker?>, isHung: Bool, _ now: UInt64
    ) -> [Action] {
        guard let worker = self[keyPath: which] else { return [] }
        self[keyPath: which]?.state = .killed(
            since: worker.servedSince, until: now + Self.deathTime, isHung: isHung)
        return [.kill(worker.pid)]
    }

    // MARK: - Looks

    private mutating func looked(
        _ pid: pid_t, _ requests: [UInt64], _ now: UInt64
    ) -> [Action] {
        guard var worker = current, worker.pid == pid else { return [] }
        worker.wasEnding = false
        defer { current?.wasEnding = false }
        guard worker.isServing else { return [] }
        var actions: [Action] = []
        let finding = worker.watch.look(at: requests)
        if worker.watch.isToAsk {
            worker.watch.asked()
            actions.append(.ask(pid))
        }
        current = worker
        guard let finding, stuck.count < Self.mostStuck else { return actions }
        actions.append(.log(.error, "worker \(pid) hangs, it is replaced: \(finding)"))
        return actions + end(\.current, isHung: true, now)
    }

    private mutating func foundEnding(
        _ pid: pid_t, _ isStuck: Bool, _ now: UInt64
    ) -> [Action] {
        guard let worker = current, worker.pid == pid else { return [] }
        if !worker.wasEnding {
            current?.wasEnding = true
            return []
        }
        return isStuck ? giveUp(pid, now) : []
    }

    /// Goes on without a worker that has been killed and is not gone.
    ///
    /// A thread that tells the kernel of new content waits in it for a page that is being
    /// read, whatever signal it gets. That READ may be one that the worker has left unanswered:
    /// then only the next worker can end the wait. A thread that still ran could take a request
    /// after the next worker has looked for such, so none may, see ``ChildProcess/isStuck(_:)``.
    private mutating func giveUp(_ pid: pid_t, _ now: UInt64) -> [Action] {
        guard workers.contains(pid) else { return [] }
        stuck.insert(pid)
        return [.log(.error, "worker \(pid) is stuck in the kernel: going on without it")]
            + ended(ChildProcess.End(pid: pid, signal: SIGKILL, code: 0), now)
    }

    // MARK: - Workers come

    private mutating func started(_ pid: pid_t, _ program: Program, _ now: UInt64) {
        let worker = SupervisedWorker(
            pid: pid, state: .starting(until: now + Self.prepareTime),
            isUpgrade: program == .onDisk)
        switch program {
        case .current:
            current = worker
            isAfterCrash = false
        case .onDisk:
            next = worker
        }
    }

    private mutating func notStarted(
        _ program: Program, _ reason: String, _ now: UInt64
    ) -> [Action] {
        switch program {
        case .onDisk:
            return [.log(.error, "no upgrade: \(reason)"), .tellServing]
        case .current:
            if !isComplete { return [.fail(reason)] }
            restartAt = now + pace.delay(after: .neverServed)
            return [.log(.error, "no worker: \(reason)")]
        }
    }

    private mutating func ready(_ pid: pid_t, _ now: UInt64) -> [Action] {
        if let worker = current, worker.pid == pid {
            guard case .starting = worker.state else { return [] }
            return beginServing(now)
        }
        guard let successor = next, successor.pid == pid, case .starting = successor.state
        else { return [] }
        next?.state = .ready
        guard let former = current else { return promote(successor, now) }
        // One that has been killed ends without being told.
        guard former.isServing else { return [] }
        // Only now: until then it has served.
        current?.state = .finishing(since: former.servedSince, until: now + Self.finishTime)
        return [.finish(former.pid)]
    }

    private mutating func promote(_ successor: SupervisedWorker, _ now: UInt64) -> [Action] {
        next = nil
        current = successor
        return beginServing(now)
    }

    private mutating func beginServing(_ now: UInt64) -> [Action] {
        guard let worker = current else { return [] }
        current?.state = .beginning(until: now + Self.prepareTime)
        current?.lookAt = now + Self.lookInterval
        return [.serve(worker.pid)]
    }

    private mutating func serving(
        _ pid: pid_t, _ isOwnProgram: Bool, _ now: UInt64
    ) -> [Action] {
        guard let worker = current, worker.pid == pid, case .beginning = worker.state else {
            return []
        }
        current?.state = .serving(since: now)
        current?.isUpgrade = false
        var actions: [Action] = []
        if worker.isUpgrade {
            replacementIsDue = !isOwnProgram
            actions = [.adoptProgram(pid), .log(.notice, "upgraded: worker \(pid)")]
        }
        return actions + [isComplete ? .tellServing : .completeMounts]
    }

    // MARK: - Workers go

    private mutating func ended(_ end: ChildProcess.End, _ now: UInt64) -> [Action] {
        if let worker = next, worker.pid == end.pid {
            next = nil
            if current == nil { restartAt = now }
            return [
                .bury(end.pid, heir: nil),
                .log(.error, "no upgrade: the new worker \(Self.describe(end))"),
                .tellServing,
            ]
        }
        guard let worker = current, worker.pid == end.pid else { return [] }
        current = nil
        let burial = Action.bury(end.pid, heir: next?.pid)
        if let successor = next, successor.state == .ready {
            return [burial] + promote(successor, now)
        }
        if !isComplete, worker.servedSince == nil {
            return [burial, .fail("cannot start: the worker \(Self.describe(end))")]
        }
        var actions = [burial, .log(.error, "worker \(end.pid) \(Self.describe(end))")]
        let isKilledByOthers = end.signal == SIGKILL && !worker.isHung
        isAfterCrash = end.signal != 0 && !isKilledByOthers && end.signal != SIGTERM
        // A new one is on its way already.
        if next != nil { return actions }
        let death: RestartPace.Death
        if let since = worker.servedSince {
            death = .served(for: now - since, isCrash: !isKilledByOthers)
        } else {
            death = .neverServed
        }
        let delay = pace.delay(after: death)
        if delay > 0 {
            actions.append(.log(.notice, "a new worker in \(delay / 1_000_000) ms"))
        }
        restartAt = now + delay
        return actions + tick(now)
    }

    private static func describe(_ end: ChildProcess.End) -> String {
        end.signal != 0
            ? "was killed by signal \(end.signal)" : "exited with code \(end.code)"
    }
}
