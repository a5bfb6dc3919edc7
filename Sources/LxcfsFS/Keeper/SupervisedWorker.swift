import Glibc

/// What ``Supervisor`` knows of a worker. Times are nanoseconds on the monotonic clock.
struct SupervisedWorker: Equatable {
    enum State: Equatable {
        /// It prepares itself, and is killed unless it is ready in time.
        case starting(until: UInt64)
        /// It waits for its turn.
        case ready
        /// It has been told to serve, and is killed unless it does in time.
        case beginning(until: UInt64)
        case serving(since: UInt64)
        /// It has been told to finish what it is answering, and is killed unless it ends in time.
        case finishing(since: UInt64?, until: UInt64)
        /// It has been sent SIGKILL.
        ///
        /// - `since`: when it began to serve, if it has.
        /// - `until`: when to look whether it cannot end.
        /// - `isHung`: it did not answer, and that is why.
        case killed(since: UInt64?, until: UInt64, isHung: Bool)
    }

    let pid: pid_t
    var state: State
    /// It is started from the program that was on disk, and has not shown yet that it works.
    var isUpgrade: Bool
    /// When to look at it; nil until it is told to serve.
    var lookAt: UInt64?
    /// Its first thread had ended at the last look, and it could not be reaped.
    var wasEnding = false
    var watch = HangWatch()

    init(pid: pid_t, state: State, isUpgrade: Bool) {
        self.pid = pid
        self.state = state
        self.isUpgrade = isUpgrade
    }

    /// When something has to be done unless it has got further.
    var deadline: UInt64? {
        switch state {
        case .starting(let time), .beginning(let time), .finishing(_, let time),
            .killed(_, let time, _):
            time
        case .ready, .serving: nil
        }
    }

    /// When it began to serve; nil if it has not.
    var servedSince: UInt64? {
        switch state {
        case .starting, .ready, .beginning: nil
        case .serving(let time): time
        case .finishing(let time, _), .killed(let time, _, _): time
        }
    }

    var isHung: Bool {
        if case .killed(_, _, let isHung) = state { return isHung }
        return false
    }

    var isServing: Bool {
        if case .serving = state { return true }
        return false
    }
}
