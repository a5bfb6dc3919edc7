import Control

/// What the daemon knows of a container, which it serves from `register` to `unregister`.
///
/// lxcfs serves all containers; with it nothing is registered.
struct Registration {
    let origin: Origin
    let id: String

    /// Has the container served.
    ///
    /// - Returns: the directory in which its files are served.
    func register(pid: Int32, cpus: CPUView?) throws(RegistrationError) -> String {
        switch origin {
        case .lxcfs(let root): return root
        case .daemon:
            let reply = try send(Request(.register, id: id, pid: pid, cpus: cpus))
            guard let path = reply?.path, path.hasPrefix("/") else {
                throw .failed("the daemon's answer names no directory")
            }
            return path
        }
    }

    /// Has the daemon stop serving the container, if it does.
    ///
    /// That there is no daemon is no error: one that starts later finds out itself which
    /// containers are gone.
    func unregister(log: Log) throws(RegistrationError) {
        guard case .daemon = origin else { return }
        do {
            _ = try send(Request(.unregister, id: id))
        } catch {
            guard case .absent(let reason) = error else { throw error }
            log.debug("not unregistered: \(reason)")
        }
    }

    /// Unregisters the container after a failure. The caller reports that failure; one of
    /// unregistering is only a warning.
    func withdraw(log: Log) {
        do {
            try unregister(log: log)
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
