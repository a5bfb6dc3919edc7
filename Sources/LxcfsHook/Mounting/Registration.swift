import Control

/// The daemon's part: it serves a container from `register` to `unregister`.
struct Registration {
    let origin: Origin
    let id: String

    /// Where the files of the container are served.
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

    /// Ends the service, if there was any. No daemon is as good: one that starts later
    /// notices itself which containers are gone.
    func unregister(log: Log) throws(RegistrationError) {
        guard case .daemon = origin else { return }
        do {
            _ = try send(Request(.unregister, id: id))
        } catch {
            guard case .absent(let reason) = error else { throw error }
            log.debug("not unregistered: \(reason)")
        }
    }

    /// Ends the service after a failure, which is the one to report.
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
