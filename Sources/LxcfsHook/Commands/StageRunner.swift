import Glibc
import OCISpec
import Syscalls

/// Runs as a hook: the runtime hands over the state on standard input.
struct StageRunner {
    let options: Options
    var log: Log

    mutating func run(_ stage: Stage) -> ExitCode {
        do {
            let state = try Self.readState()
            let id = try StateCheck.id(state)
            log.container = id
            switch stage == .auto ? StateCheck.stage(state.status) : stage {
            case .poststop: return poststop(id: id)
            default: return try create(state, id: id)
            }
        } catch {
            log.error(error.description)
            return .badInput
        }
    }

    private static func readState() throws(InputError) -> State {
        do {
            let input = FileDescriptor(owning: STDIN_FILENO)
            return try State(
                json: input.readToEnd(limit: 1 << 20, path: "the state on stdin"),
                keepsUnknown: false)
        } catch {
            throw InputError(description: "\(error)")
        }
    }

    private static func readConfig(bundle: String) throws(InputError) -> Config {
        let path = bundle + "/config.json"
        do {
            return try Config(
                json: readFile(path, limit: Config.sizeLimit), keepsUnknown: false)
        } catch let error as SystemError {
            throw InputError(description: error.description)
        } catch {
            throw InputError(description: "\(bundle): \(error)")
        }
    }

    // MARK: - createRuntime

    private func create(_ state: State, id: String) throws(InputError) -> ExitCode {
        guard state.status != .stopped else {
            throw InputError(description: "state: status: the container has stopped")
        }
        let pid = try StateCheck.pid(state)
        let bundle = try StateCheck.bundle(state)
        let config = try Self.readConfig(bundle: bundle)
        let process: ContainerProcess
        do {
            process = try ContainerProcess(pid: pid)
        } catch {
            throw InputError(description: "state: pid: \(error)")
        }
        let policy = try Policy(
            config: config, bundle: bundle,
            sharesMountNamespace: process.sharesMountNamespace, options: options)
        for note in policy.notes { log.debug(note) }
        for fault in policy.faults { report(fault) }
        if options.isRequired, !policy.faults.isEmpty { return .failure }
        switch policy.decision {
        case .skip(let reason):
            log.info("left alone: \(reason)")
            return .success
        case .attach(let plan):
            return attach(plan, process: process, id: id)
        }
    }

    private func attach(
        _ plan: Plan, process: ContainerProcess, id: String
    ) -> ExitCode {
        if plan.cpus != nil, case .lxcfs = options.origin {
            log.debug("lxcfs decides itself how many CPUs it shows")
        }
        let registration = Registration(origin: options.origin, id: id)
        let source: String
        do {
            source = try registration.register(pid: process.pid, cpus: plan.cpus)
        } catch {
            return giveUp(error.description)
        }
        let summary: AttachSummary
        do {
            let tree = try SourceTree(path: source, options.origin)
            let (sources, failures) = tree.prepare(plan.targets, log: log)
            let outcomes =
                sources.isEmpty
                ? []
                : try Attachment.run(
                    sources, process: process, rootfs: plan.rootfs, existing: .keep)
            summary = AttachSummary(outcomes, failures)
        } catch {
            registration.withdraw(log: log)
            return giveUp(error.description)
        }
        summary.report(to: log, failure: options.isRequired ? .error : .warning)
        if options.isRequired, !summary.failures.isEmpty {
            registration.withdraw(log: log)
            return .failure
        }
        if !summary.isServed { registration.withdraw(log: log) }
        return .success
    }

    /// The container starts without virtual files unless they are required.
    private func giveUp(_ reason: String) -> ExitCode {
        report("not attached: \(reason)")
        return options.isRequired ? .failure : .success
    }

    private func report(_ fault: String) {
        log.log(options.isRequired ? .error : .warning, fault)
    }

    // MARK: - poststop

    /// The container's mounts went with its mount namespace. Runs also after a create that
    /// failed, and more than once.
    private func poststop(id: String) -> ExitCode {
        do {
            try Registration(origin: options.origin, id: id).unregister(log: log)
            return .success
        } catch {
            report("not unregistered: \(error)")
            return options.isRequired ? .failure : .success
        }
    }
}
