import JSON

/// The state of a container: what a hook reads from its standard input.
///
/// runtime.md#state. There is no `root` here on purpose: the specification has none, runc
/// sends none, and crun sends config.json's `root.path` as it is, relative to a directory
/// that is not the hook's. The root is `Config.rootPath(bundle:)`.
public struct State: Document {
    /// runtime.md#state, `status`.
    public enum Status: String, FieldValue {
        case creating, created, running, stopped

        public init(_ node: JSONNode) throws(JSONFault) {
            let word = try node.string()
            guard let status = Status(rawValue: word) else {
                throw JSONFault("unknown status \(word.debugDescription)")
            }
            self = status
        }
    }

    public static let documentName = "state"
    /// It repeats the annotations, which are the only part without a natural bound.
    public static let sizeLimit = 4 << 20

    public var ociVersion = ""
    /// Unique on the host for this runtime, not beyond.
    public var id = ""
    public var status = Status.creating
    /// As the runtime sees it in its own pid namespace; for hooks that run in the
    /// container, as the container sees it. Absent while there is no process.
    public var pid: Int32?
    /// The directory of config.json, absolute.
    public var bundle = ""
    public var annotations: [String: String]?
    public var additional: JSONObject = [:]

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("ociVersion", &ociVersion)
        try fields.required("id", &id)
        try fields.required("status", &status)
        try fields.optional("pid", &pid)
        try fields.required("bundle", &bundle)
        try fields.optional("annotations", &annotations)
    }
}
