/// The members of a JSON object.
public typealias JSONObject = [String: JSONValue]

/// Any JSON value.
public enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// Only what `integer` cannot hold, so that equal numbers are equal values.
    case unsigned(UInt64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

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

extension JSONValue {
    /// Any integer.
    public init(_ value: some BinaryInteger) {
        self = Int64(exactly: value).map(JSONValue.integer) ?? .unsigned(UInt64(value))
    }

    /// A number, as an integer if it is one.
    public init(_ value: Double) {
        // A fraction that is too small for a Double leaves an integer behind.
        if let whole = Int64(exactly: value) {
            self = .integer(whole)
        } else if let whole = UInt64(exactly: value) {
            self = .unsigned(whole)
        } else {
            self = .double(value)
        }
    }
}
