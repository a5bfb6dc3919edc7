import JSON

/// What a runtime says of itself with `features` (features.md).
public struct Features: Document {
    public static let documentName = "runtime features"
    public static let sizeLimit = 1 << 20

    /// features-linux.md.
    public struct Linux: Record {
        /// The types of namespaces that it makes.
        public var namespaces: [String]?
        public var additional: JSONObject = [:]

        public init() {}

        public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
            try fields.optional("namespaces", &namespaces)
        }
    }

    public var linux: Linux?
    public var additional: JSONObject = [:]

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.optional("linux", &linux)
    }
}
