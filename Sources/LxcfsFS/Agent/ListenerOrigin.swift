import JSON

/// What the runtime said of a notify descriptor.
///
/// It is kept together with the descriptor, and another version may read it: its keys are part
/// of the contract between versions.
struct ListenerOrigin: Fields, Hashable {
    /// The container; nil if the runtime's message was not understood.
    var id: String?
    /// The container's first process, as the daemon counts.
    var pid: Int32?
    /// The init of that process's pid namespace; nil if that is the host's, or was not found, or
    /// release 0.1.0 has written this.
    var initPID: Int32?
    /// When that init started, in nanoseconds since boot.
    var initStart: UInt64?

    init() {}

    init(id: String?, pid: Int32? = nil) {
        self.id = id
        self.pid = pid
    }

    mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.optional("id", &id)
        try fields.optional("pid", &pid)
        try fields.optional("init", &initPID)
        try fields.optional("started", &initStart)
    }

    /// What all listeners of one container have in common, and it cannot choose: the runtime names
    /// the container and one of its processes, the kernel the init of that process.
    var container: ListenerOrigin {
        var common = self
        common.pid = nil
        return common
    }
}
