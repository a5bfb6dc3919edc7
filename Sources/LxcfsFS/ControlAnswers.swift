import Control
import Glibc
import LxcfsHandover
import Syscalls

/// What a worker answers on the control socket.
struct ControlAnswers {
    private let parts: WorkerParts
    private let setup: WorkerSetup
    private let options: DaemonOptions

    init(_ parts: WorkerParts, _ setup: WorkerSetup, _ options: DaemonOptions) {
        self.parts = parts
        self.setup = setup
        self.options = options
    }

    func answer(_ request: Request, _ poller: Poller) -> Reply {
        do {
            switch request.op {
            case .register:
                return try parts.registrar.register(request, poller)
            case .unregister:
                try parts.registrar.unregister(request)
                return Reply()
            case .list:
                let containers = parts.registry.all.map(parts.registrar.summary)
                return Reply(containers: containers.sorted { $0.id < $1.id })
            case .status:
                return Reply(status: status)
            case .usage:
                return usage(after: request.after ?? 0, request.watchesLoad == true)
            }
        } catch {
            return Reply(error: "\(error)")
        }
    }

    /// Containers in one reply: who is registered meanwhile waits for some milliseconds at most.
    private static let mostInReply = 64

    private func usage(after slot: UInt32, _ watchesLoad: Bool) -> Reply {
        let rest = parts.registry.all.filter { $0.slot > slot }.sorted { $0.slot < $1.slot }
        let some = rest.prefix(Self.mostInReply)
        var reply = Reply()
        reply.usage = some.map { parts.registrar.usage(of: $0, watchesLoad: watchesLoad) }
        reply.next = some.count < rest.count ? some.last?.slot : nil
        return reply
    }

    private var status: DaemonStatus {
        var requests: [String: UInt64] = [:]
        for tree in [parts.containerTree, parts.callerTree] {
            requests.merge(tree.counters.values, uniquingKeysWith: &+)
        }
        requests.merge(parts.agent?.counters ?? [:], uniquingKeysWith: &+)
        var status = DaemonStatus(
            version: version, pid: setup.keeper,
            uptime: Double(Clock.monotonic() - setup.startedAt) / 1e9,
            mountpoint: options.mountPoint,
            cgroupVersion: parts.host.tree.mounts.version.rawValue,
            containers: parts.registry.count, coherence: options.coherence,
            requests: requests, listeners: parts.agent?.listenerCount)
        status.worker = getpid()
        status.workers = parts.number
        status.workerDeaths = parts.memory.deaths
        status.upgrades = parts.memory.upgrades
        status.passesThrough = parts.memory.passesThrough
        status.openFiles = parts.openFiles.count
        status.refusedOpens = parts.openFiles.refusals.load(ordering: .relaxed)
        status.unwrittenStates = parts.states.unwrittenCount
        return status
    }
}
