import Control

extension SocketOptions {
    /// What all containers use, in the order in which they were registered. The daemon is asked for
    /// some at a time.
    ///
    /// - Parameter watchesLoad: see ``Request/watchesLoad``.
    /// - Throws: `ControlError`; `OlderDaemon` if it does not know the question.
    func askUsage(watchesLoad: Bool) throws -> [ContainerUsage] {
        var all: [ContainerUsage] = []
        var request = Request(.usage)
        request.watchesLoad = watchesLoad
        while true {
            let reply: Reply
            do {
                reply = try client.send(request)
            } catch {
                // A daemon that knows the question never refuses it.
                guard case .refused(let reason) = error else { throw error }
                throw OlderDaemon(version: try? ask(.status).status?.version, reason: reason)
            }
            guard let some = reply.usage else {
                throw ControlError.garbled("no usage in it")
            }
            all += some
            guard let next = reply.next, next > request.after ?? 0 else { return all }
            request.after = next
        }
    }
}

/// The daemon that runs is of a release that cannot answer this.
struct OlderDaemon: Error, CustomStringConvertible {
    /// nil if it does not say.
    let version: String?
    /// What it said instead.
    let reason: String

    var description: String {
        let which = version.map { " (\($0))" } ?? ""
        return
            "the lxcfsd that runs is an older one\(which), which does not say what containers "
            + "use: upgrade it (systemctl reload lxcfsd); it says: \(reason)"
    }
}
