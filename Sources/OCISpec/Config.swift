import JSON

/// The parts of `config.json` that matter to a hook.
///
/// config.md. A key is required only where an entry means nothing without it: whether the
/// document is complete is for the runtime to judge, which reads it too.
public struct Config: Document {
    public static let documentName = "config.json"
    /// Thousands of mounts and variables fit.
    public static let sizeLimit = 16 << 20

    public var ociVersion = ""
    public var root: Root?
    public var mounts: [Mount]?
    public var process: Process?
    public var hostname: String?
    public var hooks: Hooks?
    public var annotations: [String: String]?
    public var linux: Linux?
    public var additional: JSONObject = [:]

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("ociVersion", &ociVersion)
        try fields.optional("root", &root)
        try fields.optional("mounts", &mounts)
        try fields.optional("process", &process)
        try fields.optional("hostname", &hostname)
        try fields.optional("hooks", &hooks)
        try fields.optional("annotations", &annotations)
        try fields.optional("linux", &linux)
    }
}

extension Config {
    /// config.md#root.
    public struct Root: Record {
        /// Absolute, or relative to the bundle.
        public var path = ""
        public var readonly: Bool?
        public var additional: JSONObject = [:]

        public init() {}

        public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
            try fields.required("path", &path)
            try fields.optional("readonly", &readonly)
        }
    }

    /// config.md#mounts.
    public struct Mount: Record {
        /// The path in the container; runtimes take a relative one from `/`.
        public var destination = ""
        public var type: String?
        public var source: String?
        public var options: [String]?
        public var additional: JSONObject = [:]

        public init() {}

        public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
            try fields.required("destination", &destination)
            try fields.optional("type", &type)
            try fields.optional("source", &source)
            try fields.optional("options", &options)
        }
    }

    /// config.md#linux-process: the sets of capabilities(7), by name.
    public struct Capabilities: Record {
        public var bounding: [String]?
        public var effective: [String]?
        public var inheritable: [String]?
        public var permitted: [String]?
        public var ambient: [String]?
        public var additional: JSONObject = [:]

        public init() {}

        public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
            try fields.optional("bounding", &bounding)
            try fields.optional("effective", &effective)
            try fields.optional("inheritable", &inheritable)
            try fields.optional("permitted", &permitted)
            try fields.optional("ambient", &ambient)
        }
    }

    /// config.md#process.
    public struct Process: Record {
        /// config.md#posix-platform-user.
        public struct User: Record {
            public var uid: UInt32 = 0
            public var gid: UInt32 = 0
            public var additional: JSONObject = [:]

            public init() {}

            public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
                try fields.required("uid", &uid)
                try fields.required("gid", &gid)
            }
        }

        public var terminal: Bool?
        public var user: User?
        public var args: [String]?
        public var env: [String]?
        public var cwd: String?
        public var noNewPrivileges: Bool?
        public var capabilities: Capabilities?
        public var additional: JSONObject = [:]

        public init() {}

        public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
            try fields.optional("terminal", &terminal)
            try fields.optional("user", &user)
            try fields.optional("args", &args)
            try fields.optional("env", &env)
            try fields.optional("cwd", &cwd)
            try fields.optional("noNewPrivileges", &noNewPrivileges)
            try fields.optional("capabilities", &capabilities)
        }
    }
}
