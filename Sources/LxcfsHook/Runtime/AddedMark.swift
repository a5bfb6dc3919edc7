import OCISpec

/// What `lxcfs-runtime` has added to a config.json besides the hooks, as the environment of its
/// hook's entry says: a bundle of which a container is made for a second time has it already, and
/// time has passed, or the daemon has gone.
struct AddedMark: Equatable {
    /// lxcfsd as the agent for system calls.
    var hasAgent = false
    /// A time namespace with this offset.
    var boottime: TimeOffset?

    private static let variable = "LXCFS_RUNTIME_ADDED="
    private static let agent = "agent"
    private static let time = "time:"

    init() {}

    /// - Parameter environment: nil, or without the variable: nothing.
    init(environment: [String]?) {
        let value = environment?.first { $0.hasPrefix(Self.variable) }?
            .dropFirst(Self.variable.count)
        for word in (value ?? "").split(separator: ",") {
            if word == Self.agent { hasAgent = true }
            if word.hasPrefix(Self.time) {
                let numbers = word.dropFirst(Self.time.count).split(separator: ":")
                guard numbers.count == 2, let seconds = Int64(numbers[0]),
                    let rest = UInt32(numbers[1])
                else { continue }
                var offset = TimeOffset()
                offset.secs = seconds
                offset.nanosecs = rest
                boottime = offset
            }
        }
    }

    /// `environment` with this in the place of what it said before.
    func added(to environment: [String]) -> [String] {
        var words: [String] = hasAgent ? [Self.agent] : []
        if let boottime {
            words.append("\(Self.time)\(boottime.secs ?? 0):\(boottime.nanosecs ?? 0)")
        }
        let others = environment.filter { !$0.hasPrefix(Self.variable) }
        return words.isEmpty
            ? others : others + [Self.variable + words.joined(separator: ",")]
    }

    /// Takes out of `config` what is still as it was added.
    func remove(from config: inout Config, agentSocket: String?) {
        if hasAgent, let agentSocket, var profile = config.linux?.seccomp,
            profile.listenerPath == agentSocket
        {
            Interception.withdraw(from: &profile)
            config.linux?.seccomp = profile
        }
        if let boottime, config.linux?.timeOffsets == ["boottime": boottime] {
            config.linux?.timeOffsets = [:]
            config.linux?.namespaces?.removeAll {
                $0.type == Namespace.Kind.time.rawValue && ($0.path ?? "").isEmpty
            }
        }
    }
}
