import JSON

/// A file of a hooks.d directory, which tells podman and CRI-O which containers get a hook.
///
/// oci-hooks(5), schema 1.0.0; the checks are those of containers/common, pkg/hooks/1.0.0,
/// plus what the manual says and that code leaves out (an absolute path, a condition).
/// Not checked: that the program exists, and that the patterns compile (Go's syntax).
public struct HookFile: Document {
    /// Which containers get the hook: those which meet all conditions.
    public struct When: Record {
        public var always: Bool?
        /// Patterns for keys, with patterns for their values.
        public var annotations: [String: String]?
        /// Patterns for `process.args[0]`.
        public var commands: [String]?
        /// The container has mounts which the user asked for.
        public var hasBindMounts: Bool?
        public var additional: JSONObject = [:]

        public init() {}

        public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
            try fields.optional("always", &always)
            try fields.optional("annotations", &annotations)
            try fields.optional("commands", &commands)
            try fields.optional("hasBindMounts", &hasBindMounts)
        }

        var isEmpty: Bool {
            always == nil && (annotations ?? [:]).isEmpty && (commands ?? []).isEmpty
                && hasBindMounts == nil
        }
    }

    /// The stages of the runtime specification, and podman's own `precreate`.
    public enum Stage: String, Sendable, CaseIterable {
        case precreate, prestart, createRuntime, createContainer, startContainer, poststart
        case poststop
    }

    public static let documentName = "hook file"
    public static let sizeLimit = 1 << 20
    /// The only version whose schema this is.
    public static let version = "1.0.0"

    public var version = Self.version
    public var hook = Hook()
    public var when = When()
    /// Each is the name of a `Stage`.
    public var stages: [String] = []
    public var additional: JSONObject = [:]

    public init() {}

    /// Decodes a file; `name` is what errors call it.
    public init(json: [UInt8], name: String) throws(DocumentError) {
        self = try Self.decode(json, name: name)
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("version", &version)
        try fields.required("hook", &hook)
        try fields.required("when", &when)
        try fields.required("stages", &stages)
    }

    public var fault: (path: String, problem: String)? {
        if version != Self.version {
            return ("version", "\(version.debugDescription) is not \"\(Self.version)\"")
        }
        if hook.path.isEmpty { return ("hook.path", "empty") }
        if !hook.path.hasPrefix("/") {
            return ("hook.path", "\(hook.path.debugDescription) is not absolute")
        }
        if when.isEmpty { return ("when", "no condition") }
        if stages.isEmpty { return ("stages", "empty") }
        for (index, stage) in stages.enumerated() where Stage(rawValue: stage) == nil {
            return ("stages[\(index)]", "unknown stage \(stage.debugDescription)")
        }
        return nil
    }
}
