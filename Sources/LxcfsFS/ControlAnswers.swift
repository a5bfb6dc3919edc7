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
            }
        } catch {
            return Reply(error: "\(error)")
        }
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
        status.passesThrough = parts.memory.passesThrough
        status.openFiles = parts.openFiles.count
        status.refusedOpens = parts.openFiles.refusals.load(ordering: .relaxed)
        status.unwrittenStates = parts.states.unwrittenCount
        return status
    }
}
