import Glibc
import LxcfsHandover

/// A worker as the keeper reaches it.
final class WorkerHandle {
    let pid: pid_t
    let link: KeeperEnd
    /// What the poller says when the worker has sent something.
    let token: UInt64
    let executable: ProgramFile.Version
    /// Its ``Contract``, once it has told.
    var contract = Contract.first
    /// It has said something that is not understood.
    var isMisunderstood = false
    /// Something that it wanted to have kept is not, which has been said.
    var hasTooMany = false

    init(pid: pid_t, link: KeeperEnd, token: UInt64, executable: ProgramFile.Version) {
        self.pid = pid
        self.link = link
        self.token = token
        self.executable = executable
    }
}
