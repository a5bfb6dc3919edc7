import JSON
import OCISpec

/// The administrator's policy: what users cannot undo by annotations of their containers.
///
///     {"required": true, "annotations": ["io.lxcfs-hook.cpus"]}
///
/// Strict: what is not understood is refused, for it may have been meant as a rule.
struct AdministratorPolicy: Document {
    static let documentName = "policy"
    static let sizeLimit = 1 << 16

    /// As `--required`.
    var required: Bool?
    /// The annotations that count; nil if the policy does not say.
    var annotations: [String]?
    /// Each an ``Excuse``: those that count; nil if the policy does not say.
    var excuses: [String]?
    var additional: JSONObject = [:]

    init() {}

    mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.optional("required", &required)
        try fields.optional("annotations", &annotations)
        try fields.optional("excuses", &excuses)
    }

    var fault: (path: String, problem: String)? {
        if let key = additional.keys.min() { return (key, "no such setting") }
        for (index, name) in (annotations ?? []).enumerated()
        where !ContainerWishes.names.contains(name) {
            return ("annotations[\(index)]", "\(name.debugDescription) is none of this hook")
        }
        for (index, name) in (excuses ?? []).enumerated() where Excuse(rawValue: name) == nil {
            let known = Excuse.allCases.map(\.rawValue).joined(separator: ", ")
            return ("excuses[\(index)]", "\(name.debugDescription) is none of \(known)")
        }
        return nil
    }
}
