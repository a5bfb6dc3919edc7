import Glibc
import Logging
import LxcfsHandover
import Syscalls

/// The workers that run, as the keeper reaches them: it starts, hears and ends them, and keeps
/// what they want to have kept.
final class Workers {
    private let program: ProgramFile
    private let log: Logger
    private let poller: Poller
    /// What every worker is told.
    private let setup: WorkerSetup
    private var handles: [pid_t: WorkerHandle] = [:]
    private var nextToken: UInt64
    /// What they inherit.
    private(set) var store: DescriptorStore

    /// How long to wait for a worker that has been killed, at most, in nanoseconds.
    private static let longestDeath: UInt64 = 1_000_000_000

    /// - Parameters:
    ///   - setup: what every worker is told; the descriptors are entered for each.
    ///   - poller: watches what they send.
    ///   - firstToken: what `poller` then says is this or more.
    init(
        _ program: ProgramFile, _ setup: WorkerSetup, _ store: DescriptorStore,
        _ poller: Poller, firstToken: UInt64, log: Logger
    ) {
        self.program = program
        self.setup = setup
        self.store = store
        self.poller = poller
        nextToken = firstToken
        self.log = log
    }

    subscript(_ pid: pid_t) -> WorkerHandle? { handles[pid] }

    func start(
        _ executable: ProgramFile.Version, afterCrash: Bool
    ) throws(SystemError) -> pid_t {
        let ends = try MessageSocket.pair()
        let link = KeeperEnd(FileDescriptor(owning: ends.0))
        let theirs = FileDescriptor(owning: ends.1)
        var setup = setup
        setup.afterCrash = afterCrash
        let first = ChildProcess.firstDescriptor
        setup.link = first
        let descriptors = [theirs.raw] + store.enter(in: &setup, from: first + 1)
        let text = try setup.inMemory()
        let token = nextToken
        nextToken += 1
        try poller.add(link.descriptor, token: token)
        let pid = try ChildProcess.start(
            executable.file,
            [program.path, "worker", "\(first + CInt(descriptors.count))"],
            descriptors: descriptors + [text.raw])
        handles[pid] = WorkerHandle(pid: pid, link: link, token: token, executable: executable)
        return pid
    }

    // MARK: - What they say

    /// Takes a message.
    ///
    /// - Parameters:
    ///   - token: what the poller has said.
    ///   - heir: a worker that is getting ready, and must be told what others have had kept
    ///     since it was started.
    /// - Returns: what the supervisor has to know.
    func hear(_ token: UInt64, heir: pid_t?) -> Supervisor.Event? {
        guard let worker = handles.values.first(where: { $0.token == token }) else {
            return nil
        }
        guard let message = receive(from: worker) else {
            // Its end is told by SIGCHLD.
            try? poller.remove(worker.link.descriptor)
            return nil
        }
        switch consume message {
        case .ready(let contract):
            log.debug("worker \(worker.pid) is ready, contract \(contract)")
            worker.contract = contract
            return .ready(worker.pid)
        case .serving: return .serving(worker.pid, isOwnProgram: program.isOnDisk)
        case .answer: return .answered(worker.pid)
        case .keep(let named): keep(named, of: worker, heir: heir)
        case .forget(let name): forget(name, heir: heir)
        case .other(let summary):
            if worker.isMisunderstood { return nil }
            worker.isMisunderstood = true
            log.notice("ignoring of worker \(worker.pid): \(summary)")
        }
        return nil
    }

    private func receive(from worker: WorkerHandle) -> ToKeeper? {
        do {
            return try worker.link.receive()
        } catch {
            // A worker that talks nonsense is not to take the keeper along.
            log.error("worker \(worker.pid): \(error)")
            kill(worker.pid, SIGKILL)
            return nil
        }
    }

    /// Takes what a worker has sent before its end, and forgets it.
    ///
    /// - Parameter heir: as for ``hear(_:heir:)``.
    func bury(_ pid: pid_t, heir: pid_t?) {
        guard let worker = handles.removeValue(forKey: pid) else { return }
        // That it has been removed already does not matter.
        try? poller.remove(worker.link.descriptor)
        while let message = rest(of: worker) {
            switch consume message {
            case .keep(let named): keep(named, of: worker, heir: heir)
            case .forget(let name): forget(name, heir: heir)
            default: break
            }
        }
    }

    private func rest(of worker: WorkerHandle) -> ToKeeper? {
        do {
            return try worker.link.receiveRest()
        } catch {
            log.error("worker \(worker.pid): \(error)")
            return nil
        }
    }

    // MARK: - What they have kept

    private func keep(
        _ named: consuming NamedDescriptor, of worker: WorkerHandle, heir: pid_t?
    ) {
        let name = named.name
        if let heir = heir.flatMap({ handles[$0] }) {
            do {
                try heir.link.keep(named)
            } catch {
                dismiss(heir, name, error)
            }
        }
        let change = store.kept.keep(named)
        if change.stored == nil, !worker.hasTooMany {
            worker.hasTooMany = true
            log.warning("\(name.debugDescription) is not kept: too many descriptors are")
        }
        record(change, name)
    }

    private func forget(_ name: String, heir: pid_t?) {
        if let heir = heir.flatMap({ handles[$0] }) {
            do {
                try heir.link.forget(name: name)
            } catch {
                dismiss(heir, name, error)
            }
        }
        record(store.kept.forget(name), name)
    }

    private func record(_ change: KeptDescriptors.Change, _ name: String) {
        do {
            if let dropped = change.dropped { try ServiceManager.drop(dropped) }
            if let stored = change.stored {
                try ServiceManager.store(stored.number, stored.name)
            }
            try store.kept.writeRecords(to: setup.options.directory.storedDescriptors)
        } catch {
            log.warning("\(name) would not survive the daemon: \(error)")
        }
    }

    /// A worker that has not been told of something that another one has had kept would serve
    /// without it.
    private func dismiss(_ worker: WorkerHandle, _ name: String, _ error: any Error) {
        log.error("worker \(worker.pid) has not been told of \(name): \(error)")
        kill(worker.pid, SIGKILL)
    }

    // MARK: - Their end

    /// Kills all of them.
    func end() {
        for pid in handles.keys.sorted() {
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

    /// Lets all of them finish what they are answering, ends them, and takes what they have
    /// sent last.
    func finish() {
        for pid in handles.keys.sorted() { finish(pid) }
        end()
        for pid in handles.keys.sorted() { bury(pid, heir: nil) }
    }

    private func finish(_ pid: pid_t) {
        guard let worker = handles[pid] else { return }
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
