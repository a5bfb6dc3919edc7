import OCISpec
import Syscalls

/// The stages of a hook: the runtime hands over the container's state on standard input.
struct StageRunner {
    let options: Options
    var log: Log

    /// - Parameter input: where the runtime writes the state: standard input.
    mutating func run(_ stage: Stage, input: consuming FileDescriptor) -> ExitCode {
        do {
            let state = try Self.readState(input)
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

    private static func readState(
        _ input: consuming FileDescriptor
    ) throws(InputError) -> State {
        do {
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
        for fault in policy.faults { log.log(options.faultLevel, fault) }
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
        let attachment = ServedAttachment(
            origin: options.origin, process: process, existing: .keep, freezes: false, log: log)
        do {
            let summary = try attachment.run(
                plan, id: id, failure: options.faultLevel, isAllOrNothing: options.isRequired)
            return options.isRequired && !summary.failures.isEmpty ? .failure : .success
        } catch {
            return giveUp("not attached: \(error)")
        }
    }

    /// The container starts without virtual files unless they are required.
    private func giveUp(_ reason: String) -> ExitCode {
        log.log(options.faultLevel, reason)
        return options.isRequired ? .failure : .success
    }

    // MARK: - poststop

    /// Only unregisters the container: its mounts went with its mount namespace.
    ///
    /// Runtimes call this also after a create that failed, and more than once.
    private func poststop(id: String) -> ExitCode {
        do {
            try Registration(origin: options.origin, id: id).unregister(log: log)
            return .success
        } catch {
            return giveUp("not unregistered: \(error)")
        }
    }
}
