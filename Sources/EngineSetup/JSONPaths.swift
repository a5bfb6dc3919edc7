import JSON

extension JSONValue {
    /// The value that keys lead to.
    func at(_ path: some Collection<String>) -> JSONValue? {
        guard let key = path.first else { return self }
        guard case .object(let members) = self else { return nil }
        return members[key]?.at(path.dropFirst())
    }

    var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    var object: JSONObject? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    /// Of an array those elements that are strings.
    var strings: [String]? {
        guard case .array(let values) = self else { return nil }
        return values.compactMap(\.string)
    }

    /// The same value with another one at a place. What is on the way and no object becomes one.
    func with(_ value: JSONValue?, at path: some Collection<String>) -> JSONValue {
        guard let key = path.first else { return value ?? .object([:]) }
        var members = object ?? [:]
        if path.count == 1 {
            members[key] = value
        } else {
            members[key] = (members[key] ?? .object([:])).with(value, at: path.dropFirst())
        }
        return .object(members)
    }

    /// Objects merged key by key; of two other values the second one.
    func merged(with other: JSONValue) -> JSONValue {
        guard case .object(let one) = self, case .object(let two) = other else { return other }
        return .object(one.merging(two) { $0.merged(with: $1) })
    }
}
