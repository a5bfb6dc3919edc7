import Glibc
import Logging
import LxcfsHandover
import Syscalls

/// How a keeper ends its workers, and itself.
extension KeeperLoop {
    /// How long the keeper waits for a worker that has been killed before it ends all the
    /// same, in nanoseconds.
    private static let longestDeath: UInt64 = 1_000_000_000

    /// Kills all workers.
    func endWorkers() {
        for pid in supervisor.workers where workers[pid] != nil {
            kill(pid, SIGKILL)
            // Not for ever: see `Supervisor.giveUp`. What it waits for ends with the
            // connections.
            let start = Clock.monotonic()
            while waitpid(pid, nil, WNOHANG) == 0 {
                let time = Clock.monotonic() - start
                let mayGoOn = time > Supervisor.deathTime && ChildProcess.isStuck(pid)
                if mayGoOn || time > Self.longestDeath { break }
                usleep(500)
            }
        }
    }

    /// Executes the program that is now on disk, with the same process number, arguments and
    /// descriptors. Returns only if that fails.
    func replaceKeeper() throws {
        // The new keeper must not start a worker beside this one.
        for pid in supervisor.workers { finish(pid) }
        endWorkers()
        for pid in workers.keys { bury(pid, heir: nil) }
        let error = ServiceManager.execute(
            program.path, CommandLine.arguments, handingOver: store.items)
        try tell(.notReplaced("\(error)"))
    }

    /// Gives a worker the time to finish what it is answering.
    private func finish(_ pid: pid_t) {
        guard let worker = workers[pid] else { return }
        // If it has ended it need not be told.
        try? worker.link.finish()
        let deadline = Clock.monotonic() + Supervisor.finishTime
        while Clock.monotonic() < deadline {
            if waitpid(pid, nil, WNOHANG) == pid {
                bury(pid, heir: nil)
                return
            }
            usleep(500)
        }
    }
}
