import JSON

/// The daemon's answer: one line of JSON.
public struct Reply: Fields {
    /// Why the request was refused; nil means success.
    public var error: String?
    /// `register`: the directory in which the container's files are served.
    public var path: String?
    /// `register`: the container's id, if a guess was wrong.
    public var id: String?
    /// `list`.
    public var containers: [ContainerSummary]?
    /// `status`.
    public var status: DaemonStatus?
    /// `usage`.
    public var usage: [ContainerUsage]?
    /// `usage`: what to ask for next (``Request/after``); nil after the last container.
    public var next: UInt32?

    public init() {}

    public init(
        error: String? = nil, path: String? = nil, containers: [ContainerSummary]? = nil,
        status: DaemonStatus? = nil
    ) {
        self.error = error
        self.path = path
        self.containers = containers
        self.status = status
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.optional("error", &error)
        try fields.optional("path", &path)
        try fields.optional("id", &id)
        try fields.optional("containers", &containers)
        try fields.optional("status", &status)
        try fields.optional("usage", &usage)
        try fields.optional("next", &next)
    }
}
