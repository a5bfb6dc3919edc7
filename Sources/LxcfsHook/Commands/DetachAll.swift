import Control
import Syscalls

/// The command `detach --all`: every container that runs gets the kernel's files back.
///
/// For the end of the daemon, with which its files would become errors. It works before that and
/// after, and finds by the mounts what the daemon does not know of. What was intercepted
/// (sysinfo(2)) cannot be given back.
struct DetachAll {
    let options: Options
    let log: Log

    func run() -> ExitCode {
        guard case .daemon(let directory) = options.origin else { return .usage }
        let daemon = askDaemon(in: directory)
        let namespaces: [ServedMounts.Namespace]
        let host: [UInt8]
        do {
            namespaces = try Self.namespaces(registered: daemon.containers.map(\.pid))
            host = try readFile("/proc/self/mountinfo")
        } catch {
            log.error("nothing detached: \(error)")
            return .failure
        }
        var targets = options.files.targets { BlockDevices().targets }
        if options.files.contains(.cpu) { targets.append(.cpuOnline) }
        let found = ServedMounts.find(
            in: namespaces, places: targets.map(\.path),
            ownMounts: daemon.mountPoints + [directory], host: host)
        var failed = 0
        for namespace in found {
            // Each with a deadline of its own: one that is stuck does not keep the others waiting.
            let code = Watch(options: options, log: log, kind: .command).run { log, _ in
                detach(namespace, log)
            }.code
            if code != .success { failed += 1 }
        }
        if failed == 0, options.files == VirtualFile.allCases {
            failed += unregister(daemon.containers)
        }
        log.info(
            "\(found.count - min(failed, found.count)) of \(found.count) containers detached")
        return failed == 0 ? .success : .failure
    }

    private struct Daemon {
        var containers: [ContainerSummary] = []
        var mountPoints: [String] = []
    }

    /// What the daemon knows. That there is none is no error.
    private func askDaemon(in directory: String) -> Daemon {
        let client = ControlClient(socket: Defaults.controlSocket(in: directory))
        var daemon = Daemon()
        do {
            if let point = try client.send(Request(.status)).status?.mountpoint {
                daemon.mountPoints = [point]
            }
            daemon.containers = (try client.send(Request(.list)).containers ?? [])
                .filter { $0.isRunning != false }
        } catch .absent(let reason) {
            log.debug("the daemon is not asked: \(reason)")
        } catch {
            log.warning("the daemon is not asked: \(error)")
        }
        return daemon
    }

    private static func namespaces(
        registered pids: [Int32]
    ) throws(SystemError) -> [ServedMounts.Namespace] {
        let registered = pids.compactMap { try? MountNamespaces.namespace(of: "\($0)") }
        return try MountNamespaces().processes.compactMap { process in
            // It may have ended.
            guard let table = try? readFile("/proc/\(process.pid)/mountinfo") else {
                return nil
            }
            return ServedMounts.Namespace(
                pid: process.pid, table: table,
                isRegistered: registered.contains { $0.isSameFile(as: process.namespace) })
        }
    }

    private func detach(_ namespace: ServedMounts.Found, _ log: Log) -> ExitCode {
        var log = log
        log.container = "process \(namespace.pid)"
        do {
            let process = try ContainerProcess(pid: namespace.pid)
            let results = try Detachment.run(
                options.files, process: process, mounts: namespace.mounts)
            for result in results {
                guard let failure = result.failure else { continue }
                log.log(result.mounts > 0 ? .error : .debug, "\(result.target): \(failure)")
            }
            log.info("detached \(AttachSummary.files(results.count { $0.mounts > 0 }))")
            return results.allSatisfy { $0.mounts == 0 || $0.failure == nil }
                ? .success : .failure
        } catch {
            guard (try? MountNamespaces.namespace(of: "\(namespace.pid)")) != nil else {
                // With its last process, its mounts have ended, too.
                return .success
            }
            log.error("not detached: \(error)")
            return .failure
        }
    }

    /// - Returns: how many the daemon goes on serving.
    private func unregister(_ containers: [ContainerSummary]) -> Int {
        containers.count { container in
            var log = log
            log.container = container.name ?? container.id
            do {
                try Registration(origin: options.origin, id: container.name ?? container.id)
                    .unregister(pid: container.pid, log: log)
                return false
            } catch {
                log.error("the daemon goes on serving it: \(error)")
                return true
            }
        }
    }
}
