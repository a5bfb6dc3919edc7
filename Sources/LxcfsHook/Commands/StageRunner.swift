import Glibc
import OCISpec
import Syscalls

/// The stages of a hook: the runtime hands over the container's state on standard input.
struct StageRunner {
    let options: Options
    var log: Log

    /// - Parameter input: where the runtime writes the state: standard input.
    mutating func run(_ stage: Stage, input: consuming FileDescriptor) -> ExitCode {
        do {
            log.note(.reading)
            let state = try Self.readState(input)
            let stage = stage == .auto ? StateCheck.stage(state.status) : stage
            // Before anything else is looked at: who opts out has nothing to do with the rest.
            if stage != .poststop, options.wishes(state.annotations).isEnabled == false {
                log.container = ContainerID.fault(state.id) == nil ? state.id : nil
                return leaveAlone(Policy.optOut)
            }
            let id = try StateCheck.id(state)
            log.container = id
            switch stage {
            case .poststop: return poststop(state, id: id)
            default: return try create(state, id: id)
            }
        } catch {
            return refuse(error)
        }
    }

    /// What the runtime says makes no sense, or is not all that is needed. The container starts
    /// without virtual files unless they are required, or unless it cannot start anyway.
    private func refuse(_ error: InputError) -> ExitCode {
        let isFatal = options.isRequired || error.isHopeless
        log.log(isFatal ? .error : .warning, "not served: \(error)")
        return isFatal ? .badInput : .success
    }

    private func leaveAlone(_ reason: String) -> ExitCode {
        log.info("left alone: \(reason)")
        return .success
    }

    private static func readState(
        _ input: consuming FileDescriptor
    ) throws(InputError) -> State {
        do {
            return try State(
                json: input.readToEnd(limit: State.sizeLimit, path: "the state on stdin"),
                keepsUnknown: false)
        } catch {
            throw InputError(description: "\(error)")
        }
    }

    /// - Returns: nil if the bundle has no config.json.
    private static func readConfig(bundle: String) throws(InputError) -> Config? {
        let path = bundle + "/config.json"
        do {
            return try Config(
                json: readFile(path, limit: Config.sizeLimit), keepsUnknown: false)
        } catch let error as SystemError {
            if error.errno == ENOENT || error.errno == ENOTDIR { return nil }
            throw InputError(description: error.description)
        } catch let error as DocumentError {
            throw InputError(
                description: "\(bundle): \(error)", isHopeless: error.isNoJSON)
        } catch {
            throw InputError(description: "\(bundle): \(error)")
        }
    }

    /// The configuration, and the bundle in which it was found.
    private static func configuration(
        of state: State
    ) throws(InputError) -> (bundle: String, config: Config) {
        let stated = try StateCheck.bundle(state)
        var bundles = [stated]
        if let other = RuntimeArguments.ofParent()?.bundle(of: state.id), other != stated {
            // No container has / as its bundle. The host may have a file of that name there.
            if stated == "/" { bundles = [other] } else { bundles.append(other) }
        }
        for bundle in bundles {
            if let config = try readConfig(bundle: bundle) { return (bundle, config) }
        }
        throw InputError(
            description: """
                bundle \(stated): there is no config.json in it, nor does the runtime's command \
                line name another bundle that has one
                """)
    }

    /// crun says `/` where it does not know it.
    private static func known(_ bundle: String) -> String? { bundle == "/" ? nil : bundle }

    // MARK: - createRuntime

    private func create(_ state: State, id: String) throws(InputError) -> ExitCode {
        guard state.status != .stopped else {
            throw InputError(description: "state: status: the container has stopped")
        }
        let pid = try StateCheck.pid(state)
        let (bundle, config) = try Self.configuration(of: state)
        let process: ContainerProcess
        do {
            process = try ContainerProcess(pid: pid)
        } catch {
            throw InputError(description: "state: pid: \(error)")
        }
        let policy = try Policy(
            config: config, bundle: bundle,
            sharesMountNamespace: process.sharesMountNamespace,
            sharesPIDNamespace: process.sharesPIDNamespace,
            disks: { BlockDevices().targets }, options: options)
        for note in policy.notes { log.debug(note) }
        for fault in policy.faults { log.log(options.faultLevel, fault) }
        if !policy.ignored.isEmpty {
            log.info(
                """
                not honoured, as the administrator wants it: \
                \(policy.ignored.joined(separator: ", "))
                """)
        }
        if options.isRequired, !policy.faults.isEmpty { return .failure }
        switch policy.decision {
        case .skip(let reason):
            return leaveAlone(reason)
        case .attach(let plan):
            return attach(
                plan, process: process,
                Registration(
                    origin: options.origin, id: id, bundle: Self.known(bundle),
                    isStarting: true))
        }
    }

    private func attach(
        _ plan: Plan, process: ContainerProcess, _ registration: Registration
    ) -> ExitCode {
        if plan.cpus != nil, case .lxcfs = options.origin {
            log.debug("lxcfs decides itself how many CPUs it shows")
        }
        let attachment = ServedAttachment(
            origin: options.origin, process: process, existing: .keep, freezes: false, log: log)
        do {
            let summary = try attachment.run(
                plan, registration, failure: options.faultLevel,
                isAllOrNothing: options.isRequired)
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
    private func poststop(_ state: State, id: String) -> ExitCode {
        log.note(.unregistering)
        do {
            try Registration(origin: options.origin, id: id, bundle: Self.known(state.bundle))
                .unregister(pid: nil, log: log)
            return .success
        } catch {
            return giveUp("not unregistered: \(error)")
        }
    }
}
