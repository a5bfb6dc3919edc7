import JSON

/// What the runtime said of a notify descriptor.
///
/// It is kept together with the descriptor, and another version may read it: its keys are part
/// of the contract between versions.
struct ListenerOrigin: Fields {
    /// The container; nil if the runtime's message was not understood.
    var id: String?
    /// The container's first process, as the daemon counts.
    var pid: Int32?

    init() {}

    init(id: String?, pid: Int32? = nil) {
        self.id = id
        self.pid = pid
    }

    mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.optional("id", &id)
        try fields.optional("pid", &pid)
    }
}
