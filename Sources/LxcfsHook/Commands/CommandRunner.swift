import Control
import Glibc
import Syscalls

/// The commands `attach` and `detach`, for containers that run already.
///
/// They were started without the hook, or the daemon that served them died with its mounts.
struct CommandRunner {
    let options: Options
    var log: Log

    mutating func attach(pid: Int32, id: String?) -> ExitCode {
        do {
            let process = try open(pid)
            let registration = registration(of: pid, id)
            log.container = registration.id
            let summary = try attachment(to: process, existing: .replace)
                .run(plan(for: process), registration, failure: .error, isAllOrNothing: false)
            return summary.isServed && summary.failures.isEmpty ? .success : .failure
        } catch {
            log.error("not attached: \(error)")
            return .failure
        }
    }

    /// Mounts anew in all containers whose mounts are dead, and leaves the others alone.
    ///
    /// Needed after a total loss: a daemon that has been started again knows its containers by
    /// their state files, but cannot revive their mounts.
    ///
    /// - Parameter separately: does something in a process of its own.
    mutating func attachAll(separately: Separately = Self.watched) -> ExitCode {
        guard case .daemon(let directory) = options.origin else { return .usage }
        let client = ControlClient(
            socket: Defaults.controlSocket(in: directory), timeout: 10_000)
        let containers: [ContainerSummary]
        let mountPoint: String
        do {
            containers = try client.send(Request(.list)).containers ?? []
            guard let status = try client.send(Request(.status)).status else {
                throw ControlError.garbled("no status in it")
            }
            mountPoint = status.mountpoint
        } catch {
            log.error("nothing attached: \(error)")
            return .failure
        }
        var renewed = 0
        var failed = 0
        var late = 0
        for container in containers where container.isRunning != false {
            if late >= Self.mostLate {
                log.container = nil
                log.error(
                    "given up: \(late) containers were not done in time (--timeout); see whether "
                        + "lxcfsd answers (lxcfsd status), then do this again")
                break
            }
            log.container = container.id
            // One that holds up whoever mounts in it must not keep the others from their files.
            let result = separately(options, log) { log, output in
                var runner = CommandRunner(options: options, log: log)
                runner.log.container = container.id
                return runner.renew(container, in: mountPoint, output)
            }
            renewed += result.output == Self.renewedMark ? 1 : 0
            failed += result.code == .success ? 0 : 1
            late += result.code == .overdue ? 1 : 0
        }
        log.container = nil
        log.info("\(renewed) of \(containers.count) containers attached anew")
        return failed == 0 ? .success : .failure
    }

    typealias Separately = (Options, Log, (Log, ([UInt8]) -> Void) -> ExitCode) -> Watch.Result

    static func watched(
        _ options: Options, _ log: Log, _ body: (Log, ([UInt8]) -> Void) -> ExitCode
    ) -> Watch.Result {
        Watch(options: options, log: log, kind: .command).run(body)
    }

    /// After that many it is not the containers.
    private static let mostLate = 3
    /// What the process says that has mounted anew.
    private static let renewedMark = Array("renewed".utf8)

    private func renew(
        _ container: ContainerSummary, in mountPoint: String, _ output: ([UInt8]) -> Void
    ) -> ExitCode {
        do throws(AttachError) {
            let summary = try renew(container, in: mountPoint)
            if summary.hasNews { summary.report(to: log, failure: .error) }
            if summary.isRenewed { output(Self.renewedMark) }
            return summary.failures.isEmpty ? .success : .failure
        } catch {
            log.error("not attached: \(error)")
            return .failure
        }
    }

    private func renew(
        _ container: ContainerSummary, in mountPoint: String
    ) throws(AttachError) -> AttachSummary {
        let process = try open(container.pid)
        return try attachment(to: process, existing: .renew)
            .mount(plan(for: process), from: mountPoint + "/" + container.id)
    }

    private func plan(for process: ContainerProcess) throws(AttachError) -> Plan {
        do {
            // The container runs: in its mount namespace its root is /.
            return Plan(
                rootfs: "/", targets: options.files.targets { BlockDevices().targets },
                cpus: options.cpus, rulesFilesystems: try process.rulesFilesystems())
        } catch {
            throw .system(error)
        }
    }

    private func attachment(
        to process: ContainerProcess, existing: Attachment.Existing
    ) -> ServedAttachment {
        ServedAttachment(
            origin: options.origin, process: process, existing: existing,
            freezes: options.freezes, log: log)
    }

    mutating func detach(pid: Int32, id: String?) -> ExitCode {
        do {
            let process = try open(pid)
            let registration = registration(of: pid, id)
            log.container = registration.id
            let results = try Detachment.run(options.files, process: process)
            for result in results {
                guard let failure = result.failure else { continue }
                log.log(result.mounts > 0 ? .error : .debug, "\(result.target): \(failure)")
            }
            let detached = results.count { $0.mounts > 0 }
            if detached == 0 {
                log.info("nothing was attached")
            } else {
                log.info("detached \(AttachSummary.files(detached))")
            }
            let isWhole = results.allSatisfy { $0.mounts == 0 || $0.failure == nil }
            // If only some files were to be detached, the daemon goes on serving the others.
            if options.files == VirtualFile.allCases {
                try registration.unregister(pid: pid, log: log)
            }
            return isWhole ? .success : .failure
        } catch {
            log.error("not detached: \(error)")
            return .failure
        }
    }

    private func registration(of pid: Int32, _ id: String?) -> Registration {
        Registration(origin: options.origin, id: id ?? Self.id(of: pid), isGuess: id == nil)
    }

    private func open(_ pid: Int32) throws(AttachError) -> ContainerProcess {
        let process: ContainerProcess
        do {
            process = try ContainerProcess(pid: pid)
        } catch {
            switch error.errno {
            case ENOENT: throw .refused("there is no process \(pid)")
            case EACCES, EPERM:
                throw .refused(
                    """
                    cannot look into process \(pid) (/proc/\(pid)/ns/mnt): \
                    \(errnoInWords(error.errno)); attach needs root
                    """)
            default: throw .system(error)
            }
        }
        guard !process.sharesMountNamespace else {
            throw .refused("process \(pid) is in this mount namespace, not in a container")
        }
        return process
    }

    private static func id(of pid: Int32) -> String {
        let path = "/proc/\(pid)/cgroup"
        guard let content = try? readFile(path, limit: 1 << 20) else { return "pid-\(pid)" }
        return ContainerID.fromCgroups(String(decoding: content, as: UTF8.self))
            ?? "pid-\(pid)"
    }
}
