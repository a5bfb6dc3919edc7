import Glibc
import Logging
import LxcfsHandover
import Syscalls

/// What workers say, and what they have had kept.
extension KeeperLoop {
    /// Takes a message from a worker.
    ///
    /// - Parameter token: what the poller has said.
    func hear(_ token: UInt64) throws {
        guard let worker = workers.values.first(where: { $0.token == token }) else { return }
        guard let message = receive(from: worker) else {
            // Its end is told by SIGCHLD.
            try? poller.remove(worker.link.descriptor)
            return
        }
        let heir = supervisor.next?.pid
        switch consume message {
        case .ready(let contract):
            log.debug("worker \(worker.pid) is ready, contract \(contract)")
            try tell(.ready(worker.pid))
        case .serving:
            try tell(.serving(worker.pid, isOwnProgram: program.isOnDisk))
        case .answer: try tell(.answered(worker.pid))
        case .keep(let named): keep(named, heir: heir)
        case .forget(let name): forget(name, heir: heir)
        case .other(let summary):
            if worker.isMisunderstood { break }
            worker.isMisunderstood = true
            log.notice("ignoring of worker \(worker.pid): \(summary)")
        }
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
    /// - Parameter heir: a worker that has to be told of it.
    func bury(_ pid: pid_t, heir: pid_t?) {
        guard let worker = workers.removeValue(forKey: pid) else { return }
        // That it has been removed already does not matter.
        try? poller.remove(worker.link.descriptor)
        hearRest(of: worker, heir: heir)
    }

    private func hearRest(of worker: WorkerHandle, heir: pid_t?) {
        while let message = rest(of: worker) {
            switch consume message {
            case .keep(let named): keep(named, heir: heir)
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

    /// - Parameter heir: a worker that is getting ready, and must have what has come since it
    ///   was started.
    private func keep(_ named: consuming NamedDescriptor, heir: pid_t?) {
        let name = named.name
        if let heir = heir.flatMap({ workers[$0] }) {
            do {
                try heir.link.keep(named)
            } catch {
                dismiss(heir, name, error)
            }
        }
        let change = store.keep(named)
        if change.stored == nil { log.warning("\(name) is not kept: too many descriptors are") }
        record(change, name)
    }

    private func forget(_ name: String, heir: pid_t?) {
        if let heir = heir.flatMap({ workers[$0] }) {
            do {
                try heir.link.forget(name: name)
            } catch {
                dismiss(heir, name, error)
            }
        }
        record(store.forget(name), name)
    }

    private func record(_ change: DescriptorStore.Change, _ name: String) {
        do {
            if let dropped = change.dropped { try ServiceManager.drop(dropped) }
            if let stored = change.stored {
                try ServiceManager.store(stored.number, stored.name)
            }
            try store.writeRecords(to: options.directory.storedDescriptors)
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
}
