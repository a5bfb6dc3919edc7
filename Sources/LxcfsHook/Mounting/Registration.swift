import Control

/// What the daemon knows of a container, which it serves from `register` to `unregister`.
///
/// lxcfs serves all containers; with it nothing is registered.
struct Registration {
    let origin: Origin
    let id: String
    /// Whether the id is only what the names of cgroups look like. Who the container is, its
    /// process says.
    var isGuess = false
    /// The directory of its config.json, if a runtime has named it.
    var bundle: String?
    /// Whether the container has not been started.
    var isStarting = false

    /// The directory in which a container's files are served, and the id that the daemon knows it
    /// by.
    struct Place: Equatable {
        let path: String
        let id: String
    }

    /// Has the container of process `pid` served.
    func register(pid: Int32, cpus: CPUView?) throws(RegistrationError) -> Place {
        switch origin {
        case .lxcfs(let root): return Place(path: root, id: id)
        case .daemon:
            var request = Request(.register, id: id, pid: pid, cpus: cpus, bundle: bundle)
            if isGuess { request.isGuess = true }
            if isStarting { request.isStarting = true }
            let reply = try send(request)
            guard let path = reply?.path, path.hasPrefix("/") else {
                throw .failed("the daemon's answer names no directory")
            }
            return Place(path: path, id: reply?.id ?? id)
        }
    }

    /// Has the daemon stop serving the container, if it does.
    ///
    /// That there is no daemon is no error: one that starts later finds out itself which
    /// containers are gone.
    ///
    /// - Parameter pid: a process of the container; nil if it has ended. Ids are only unique for one
    ///   runtime, so the daemon drops none whose process lives then.
    func unregister(pid: Int32?, log: Log) throws(RegistrationError) {
        guard case .daemon = origin else { return }
        do {
            _ = try send(Request(.unregister, id: id, pid: pid, bundle: bundle))
        } catch {
            guard case .absent(let reason) = error else { throw error }
            log.debug("not unregistered: \(reason)")
        }
    }

    /// Unregisters the container of process `pid` after a failure. The caller reports that failure;
    /// one of unregistering is only a warning.
    func withdraw(pid: Int32, log: Log) {
        do {
            try unregister(pid: pid, log: log)
        } catch {
            log.warning("cannot unregister the container: \(error)")
        }
    }

    private func send(_ request: Request) throws(RegistrationError) -> Reply? {
        guard case .daemon(let directory) = origin else { return nil }
        let client = ControlClient(socket: Defaults.controlSocket(in: directory))
        do {
            return try client.send(request)
        } catch {
            if case .absent = error { throw .absent(error.description) }
            throw .failed(error.description)
        }
    }
}

/// Why the daemon does not serve a container.
enum RegistrationError: Error, Equatable, CustomStringConvertible {
    case absent(String)
    case failed(String)

    var description: String {
        switch self {
        case .absent(let reason), .failed(let reason): reason
        }
    }
}
