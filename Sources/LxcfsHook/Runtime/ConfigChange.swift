import JSON
import OCISpec

/// What is to be changed in the text of a config.json, so that nothing else in it is.
enum ConfigChange {
    /// - Returns: nil if both say the same.
    static func from(_ old: Config, to new: Config) throws(JSONFault) -> JSONChange? {
        var hooks: [String: JSONChange] = [:]
        hooks["prestart"] = try list(old.hooks?.prestart, new.hooks?.prestart)
        hooks["createRuntime"] = try list(old.hooks?.createRuntime, new.hooks?.createRuntime)
        hooks["poststop"] = try list(old.hooks?.poststop, new.hooks?.poststop)

        var linux: [String: JSONChange] = [:]
        let (before, after) = (old.linux, new.linux)
        if before?.namespaces != after?.namespaces {
            let kept = before?.namespaces ?? []
            let namespaces = after?.namespaces ?? []
            if namespaces.starts(with: kept) {
                linux["namespaces"] = .elements(
                    [:], appended: try values(namespaces.dropFirst(kept.count)))
            } else {
                linux["namespaces"] = .value(.array(try values(namespaces[...])))
            }
        }
        if before?.timeOffsets != after?.timeOffsets {
            linux["timeOffsets"] = .value(try (after?.timeOffsets ?? [:]).encode())
        }
        if let seccomp = after?.seccomp, seccomp != before?.seccomp {
            linux["seccomp"] = .value(try seccomp.encode())
        }

        var members: [String: JSONChange] = [:]
        if !hooks.isEmpty { members["hooks"] = .members(hooks) }
        if !linux.isEmpty { members["linux"] = .members(linux) }
        return members.isEmpty ? nil : .members(members)
    }

    /// Of a list of hooks: environments that have changed, and entries behind the last one.
    private static func list(_ old: [Hook]?, _ new: [Hook]?) throws(JSONFault) -> JSONChange? {
        let (old, new) = (old ?? [], new ?? [])
        if old == new { return nil }
        var changes: [Int: JSONChange] = [:]
        for (index, pair) in zip(old, new).enumerated() where pair.0 != pair.1 {
            changes[index] = .members(["env": .value(try (pair.1.env ?? []).encode())])
        }
        return .elements(changes, appended: try values(new.dropFirst(old.count)))
    }

    private static func values<Item: FieldValue>(
        _ items: ArraySlice<Item>
    ) throws(JSONFault) -> [JSONValue] {
        try items.map { (item) throws(JSONFault) in try item.encode() }
    }
}
