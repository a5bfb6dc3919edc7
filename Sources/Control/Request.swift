import JSON

/// What a client asks of the daemon: one line of JSON per connection.
public struct Request: Fields {
    public enum Operation: String, FieldValue {
        /// Serve a container tree for the container `id` of process `pid`.
        case register
        /// Stop serving a container: that of process `pid`, or, without one, those of `id` whose
        /// process has ended. Succeeds if there is none.
        case unregister
        /// Which containers are served.
        case list
        /// What the daemon is and does.
        case status
        /// What containers use: some at a time, see ``Request/after``. Release 0.1.0 does not know it.
        case usage
    }

    public var op = Operation.status
    /// The container id.
    public var id: String?
    /// A process of the container, its init if there is a choice, in the pid namespace of
    /// the daemon.
    public var pid: Int32?
    /// Overrides the daemon's own choice for this container.
    public var cpus: CPUView?
    /// The directory of the container's config.json. A runtime knows it, and uses an id only once.
    public var bundle: String?
    /// `unregister`, without a process: a runtime says that the container has ended, so it is none
    /// that lives. Release 0.1.0's hook does not say so.
    public var hasEnded: Bool?
    /// `register`: the container has not been started. Its init is in the cgroup that the runtime
    /// made, whatever the name of that says.
    public var isStarting: Bool?
    /// `register`: the id is only what people may call the container; if it is known, it keeps its
    /// own.
    public var isGuess: Bool?
    /// `usage`: where to go on, as the reply before said (``Reply/next``).
    public var after: UInt32?
    /// `usage`: load averages of all containers are kept from now on, for as long as they are after a
    /// container has read its own. Otherwise only those are told that are kept already.
    public var watchesLoad: Bool?

    public init(
        _ op: Operation, id: String? = nil, pid: Int32? = nil, cpus: CPUView? = nil,
        bundle: String? = nil
    ) {
        self.op = op
        self.id = id
        self.pid = pid
        self.cpus = cpus
        self.bundle = bundle
    }

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("op", &op)
        try fields.optional("id", &id)
        try fields.optional("pid", &pid)
        try fields.optional("cpus", &cpus)
        try fields.optional("bundle", &bundle)
        try fields.optional("hasEnded", &hasEnded)
        try fields.optional("isStarting", &isStarting)
        try fields.optional("isGuess", &isGuess)
        try fields.optional("after", &after)
        try fields.optional("watchesLoad", &watchesLoad)
    }
}
