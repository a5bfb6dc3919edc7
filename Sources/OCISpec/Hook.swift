import JSON

/// One program to run: an entry of `Hooks`, and the `hook` of a hooks.d file.
public struct Hook: Record {
    /// Absolute.
    public var path = ""
    /// With argument zero, as in `execv`.
    public var args: [String]?
    public var env: [String]?
    /// Seconds, more than zero.
    public var timeout: Int?
    public var additional: JSONObject = [:]

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("path", &path)
        try fields.optional("args", &args)
        try fields.optional("env", &env)
        try fields.optional("timeout", &timeout)
    }
}
