import Glibc
import LxcfsHandover
import Syscalls

/// What the keeper knows of a worker.
final class WorkerHandle {
    enum State { case starting, ready, serving, finishing }

    let pid: pid_t
    let link: KeeperEnd
    let token: UInt64
    let executable: ProgramFile.Version
    var state = State.starting
    /// When it is killed unless it has got further, on the monotonic clock.
    var deadline: UInt64?
    var servingSince: UInt64?
    /// When to look at it, on the monotonic clock.
    var lookAt: UInt64?
    /// It was dead the last time, and could not be reaped.
    var isSuspect = false
    /// It has been sent SIGKILL.
    var isKilled = false
    /// That was because it did not answer.
    var isHung = false
    var watch = HangWatch()
    /// It has said something that is not understood.
    var isMisunderstood = false

    init(
        pid: pid_t, link: KeeperEnd, token: UInt64, executable: ProgramFile.Version,
        deadline: UInt64?
    ) {
        self.pid = pid
        self.link = link
        self.token = token
        self.executable = executable
        self.deadline = deadline
    }
}
