import JSON

/// config.md#posix-platform-hooks.
public struct Hooks: Record {
    /// Deprecated by the specification for `createRuntime`, at whose point it runs.
    public var prestart: [Hook]?
    public var createRuntime: [Hook]?
    public var createContainer: [Hook]?
    public var startContainer: [Hook]?
    public var poststart: [Hook]?
    public var poststop: [Hook]?
    public var additional: JSONObject = [:]

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.optional("prestart", &prestart)
        try fields.optional("createRuntime", &createRuntime)
        try fields.optional("createContainer", &createContainer)
        try fields.optional("startContainer", &startContainer)
        try fields.optional("poststart", &poststart)
        try fields.optional("poststop", &poststop)
    }
}
