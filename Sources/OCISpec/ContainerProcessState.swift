import JSON

/// What a runtime sends to a seccomp agent, along with the descriptors that it names.
///
/// config-linux.md#containerprocessstate.
public struct ContainerProcessState: Document {
    public static let documentName = "container process state"
    public static let sizeLimit = State.sizeLimit

    public var ociVersion = ""
    /// Names of the descriptors, in the order in which they are sent.
    public var fds: [String] = []
    /// The process, as the runtime sees it.
    public var pid: Int32 = 0
    /// `linux.seccomp.listenerMetadata`.
    public var metadata: String?
    public var state = State()
    public var additional: JSONObject = [:]

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("ociVersion", &ociVersion)
        try fields.required("fds", &fds)
        try fields.required("pid", &pid)
        try fields.optional("metadata", &metadata)
        try fields.required("state", &state)
    }
}
