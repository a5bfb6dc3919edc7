import JSON

/// config-linux.md#seccomp. By itself it is a profile, as `--security-opt seccomp=` and
/// Kubernetes' `type: Localhost` take it; those of docker and podman have more keys.
public struct Seccomp: Document {
    public static let documentName = "seccomp profile"
    public static let sizeLimit = 16 << 20

    public var defaultAction = ""
    public var defaultErrnoRet: UInt32?
    public var architectures: [String]?
    public var flags: [String]?
    /// The socket of the agent which gets the descriptor for `SCMP_ACT_NOTIFY`.
    public var listenerPath: String?
    /// What the agent gets as `ContainerProcessState.metadata`.
    public var listenerMetadata: String?
    public var syscalls: [Syscall]?
    public var additional: JSONObject = [:]

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("defaultAction", &defaultAction)
        try fields.optional("defaultErrnoRet", &defaultErrnoRet)
        try fields.optional("architectures", &architectures)
        try fields.optional("flags", &flags)
        try fields.optional("listenerPath", &listenerPath)
        try fields.optional("listenerMetadata", &listenerMetadata)
        try fields.optional("syscalls", &syscalls)
    }

    /// A rule for some system calls.
    public struct Syscall: Record {
        public var names: [String] = []
        public var action = ""
        public var errnoRet: UInt32?
        public var args: [Argument]?
        public var additional: JSONObject = [:]

        public init() {}

        public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
            try fields.required("names", &names)
            try fields.required("action", &action)
            try fields.optional("errnoRet", &errnoRet)
            try fields.optional("args", &args)
        }
    }

    /// A condition on one argument of a system call.
    public struct Argument: Record {
        public var index: UInt32 = 0
        public var value: UInt64 = 0
        public var valueTwo: UInt64?
        public var op = ""
        public var additional: JSONObject = [:]

        public init() {}

        public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
            try fields.required("index", &index)
            try fields.required("value", &value)
            try fields.optional("valueTwo", &valueTwo)
            try fields.required("op", &op)
        }
    }
}
