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
    /// The init of its container, as the kernel says; nil if that is the host's.
    var initPID: Int32?
    /// When that init started, in nanoseconds since boot.
    var initStart: UInt64?
    /// The cgroup of the container, empty if its init is all that is known; nil if the process was
    /// gone, or release 0.1.0 has written this.
    var cgroup: String?

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
        try fields.optional("cgroup", &cgroup)
    }

    /// What all listeners of one container have in common. None of it can be chosen there: the
    /// kernel says it of the process that the runtime has named; the id counts only when that
    /// process is gone.
    var container: ListenerOrigin {
        var common = self
        common.pid = nil
        if cgroup != nil { common.id = nil }
        return common
    }
}
