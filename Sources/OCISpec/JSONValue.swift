/// The members of a JSON object.
public typealias JSONObject = [String: JSONValue]

/// Any JSON value: what a document holds beyond the keys that this module knows.
public enum JSONValue: Codable, Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// Only what `integer` cannot hold, so that equal numbers are equal values.
    case unsigned(UInt64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // Every failed attempt builds an error, so the frequent kinds come first.
        if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(JSONObject.self) {
            self = .object(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(UInt64.self) {
            self = .unsigned(value)
        } else if let value = try? container.decode(Double.self) {
            // A fraction that is too small for a Double leaves an integer behind.
            if let whole = Int64(exactly: value) {
                self = .integer(whole)
            } else if let whole = UInt64(exactly: value) {
                self = .unsigned(whole)
            } else {
                self = .double(value)
            }
        } else {
            // Half a surrogate pair, or a number beyond any range: it cannot be kept.
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "contains a value that cannot be represented")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .unsigned(let value): try container.encode(value)
        case .double(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// The value below this one that `path` leads to.
    subscript(path: some Collection<any CodingKey>) -> JSONValue? {
        guard let key = path.first else { return self }
        let rest = path.dropFirst()
        switch self {
        case .object(let members): return members[key.stringValue]?[rest]
        case .array(let elements):
            guard let index = key.intValue, elements.indices.contains(index) else { return nil }
            return elements[index][rest]
        default: return nil
        }
    }

    /// For an error: short, and on one line.
    var summary: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer(let value): "\(value)"
        case .unsigned(let value): "\(value)"
        case .double(let value): "\(value)"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
