import JSON

/// What a client asks of the daemon: one line of JSON per connection.
public struct Request: Fields {
    public enum Operation: String, FieldValue {
        /// Serve a container tree for the container `id` of process `pid`.
        case register
        /// Stop serving `id`. Succeeds if it is not served.
        case unregister
        /// Which containers are served.
        case list
        /// What the daemon is and does.
        case status
    }

    public var op = Operation.status
    /// The container id; the name of its directory below the mountpoint.
    public var id: String?
    /// A process of the container, its init if there is a choice, in the pid namespace of
    /// the daemon.
    public var pid: Int32?
    /// Overrides the daemon's own choice for this container.
    public var cpus: CPUView?

    public init(_ op: Operation, id: String? = nil, pid: Int32? = nil, cpus: CPUView? = nil) {
        self.op = op
        self.id = id
        self.pid = pid
        self.cpus = cpus
    }

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("op", &op)
        try fields.optional("id", &id)
        try fields.optional("pid", &pid)
        try fields.optional("cpus", &cpus)
    }
}
