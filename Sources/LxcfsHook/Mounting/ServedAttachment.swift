/// Has the files of a container served, and mounts them over the container's own.
///
/// The hook and the commands both go this way. What they do differently is a property or a
/// parameter here.
struct ServedAttachment {
    let origin: Origin
    let process: ContainerProcess
    let existing: Attachment.Existing
    /// Whether the container's processes are stopped while files are mounted. A container that
    /// has not been started needs no stopping: its runtime waits for the hook.
    let freezes: Bool
    /// A log that names the container.
    let log: Log

    /// Registers the container, mounts its files and reports to the log what became of them.
    ///
    /// Withdraws the registration if the container is not to be served after all.
    ///
    /// - Parameters:
    ///   - failure: how much a file that could not be mounted matters.
    ///   - isAllOrNothing: whether the daemon stops serving a container that lacks a file.
    func run(
        _ plan: Plan, _ registration: Registration, failure: LogLevel, isAllOrNothing: Bool
    ) throws(AttachError) -> AttachSummary {
        log.note(.registering)
        let place: Registration.Place
        do {
            place = try registration.register(pid: process.pid, cpus: plan.cpus)
        } catch {
            throw AttachError(error)
        }
        if place.id != registration.id { log.info("it is registered as \(place.id)") }
        let summary: AttachSummary
        do throws(AttachError) {
            // Its number may have been another one's already when the daemon looked at it.
            guard process.isThere else { throw .refused("its process has ended") }
            summary = try mount(plan, from: place.path)
        } catch {
            registration.withdraw(pid: process.pid, log: log)
            throw error
        }
        summary.report(to: log, failure: failure)
        if !summary.isToBeServed(isAllOrNothing: isAllOrNothing) {
            registration.withdraw(pid: process.pid, log: log)
        }
        return summary
    }

    /// Mounts the files of a container that is registered.
    ///
    /// - Parameter source: the directory in which its files are served.
    func mount(_ plan: Plan, from source: String) throws(AttachError) -> AttachSummary {
        log.note(.preparing)
        let tree = try SourceTree(path: source, origin)
        let (sources, failures) = try prepare(plan, from: tree)
        log.note(
            .mounting(
                MountedFiles(
                    pid: process.pid, namespace: process.mountNamespaceInode,
                    rootfs: plan.rootfs,
                    devices: sources.reduce(into: []) { devices, source in
                        if !devices.contains(source.identity.device) {
                            devices.append(source.identity.device)
                        }
                    })))
        return AttachSummary(try attach(sources, rootfs: plan.rootfs), failures)
    }

    private func prepare(
        _ plan: Plan, from tree: borrowing SourceTree
    ) throws(AttachError) -> (sources: [Source], failures: [Failure]) {
        guard plan.rulesFilesystems, case .daemon = origin else {
            return tree.prepare(plan.targets, log: log)
        }
        do {
            let own = try SourceTree(apart: tree)
            return try process.apart { () throws(AttachError) in
                try own.attach()
                return own.prepare(plan.targets, log: log)
            }
        } catch {
            log.warning(
                """
                no filesystem of its own, though it may unmount that of all containers by force: \
                \(error)
                """)
            return tree.prepare(plan.targets, log: log)
        }
    }

    private func attach(
        _ sources: [Source], rootfs: String
    ) throws(AttachError) -> [(Target, Outcome)] {
        func run() throws(AttachError) -> [(Target, Outcome)] {
            try Attachment.run(sources, process: process, rootfs: rootfs, existing: existing)
        }
        // A container that has not been started has one process that mounts: its hook.
        if existing == .keep { return try run() }
        return try AttachTurn(origin).hold { () throws(AttachError) in
            guard freezes else { return try run() }
            switch try Freezer.find(for: process) {
            case .found(let freezer): return try freezer.hold(run)
            case .none(let reason):
                log.debug("not frozen meanwhile: \(reason)")
                return try run()
            }
        }
    }
}
