/// A JSON object of which some keys are known. The others are kept, so that a document
/// that is decoded and encoded again loses nothing.
///
/// A type names each key once, in `visit`, which serves both directions; `Codable`
/// follows from it.
public protocol Record: Codable, Equatable, Sendable {
    init()

    /// The keys that `visit` does not name, and those that it names whose value is null:
    /// null and absent mean the same to a reader, but must not turn into each other.
    var additional: JSONObject { get set }

    /// Shows each known key with its property to `fields`.
    mutating func visit(_ fields: inout some FieldVisitor) throws
}

/// Reads properties from, or writes them to, the keys of a JSON object.
///
/// Most of a config.json is lists of strings. They have overloads because JSONDecoder reads
/// a `[String]` through unspecialised generic code: that took a fifth of the whole time.
public protocol FieldVisitor {
    mutating func required<Value: Codable>(_ name: String, _ value: inout Value) throws
    mutating func optional<Value: Codable>(_ name: String, _ value: inout Value?) throws
    mutating func required(_ name: String, _ value: inout [String]) throws
    mutating func optional(_ name: String, _ value: inout [String]?) throws
}

extension Record {
    public init(from decoder: any Decoder) throws {
        self.init()
        var reader = FieldReader(container: try decoder.container(keyedBy: FieldKey.self))
        try visit(&reader)
        additional = try reader.rest()
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: FieldKey.self)
        for (name, value) in additional {
            try container.encode(value, forKey: FieldKey(name))
        }
        var writer = FieldWriter(container: container)
        var copy = self
        try copy.visit(&writer)
    }
}

struct FieldKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

private struct FieldReader: FieldVisitor {
    let container: KeyedDecodingContainer<FieldKey>
    private var taken: [String] = []

    init(container: KeyedDecodingContainer<FieldKey>) { self.container = container }

    mutating func required<Value: Codable>(_ name: String, _ value: inout Value) throws {
        value = try placing(name) { try container.decode(Value.self, forKey: $0) }
        taken.append(name)
    }

    mutating func optional<Value: Codable>(_ name: String, _ value: inout Value?) throws {
        value = try placing(name) { try container.decodeIfPresent(Value.self, forKey: $0) }
        if value != nil { taken.append(name) }
    }

    mutating func required(_ name: String, _ value: inout [String]) throws {
        value = try placing(name, strings)
        taken.append(name)
    }

    mutating func optional(_ name: String, _ value: inout [String]?) throws {
        let key = FieldKey(name)
        guard container.contains(key), try !container.decodeNil(forKey: key) else { return }
        value = try placing(name, strings)
        taken.append(name)
    }

    private func strings(_ key: FieldKey) throws -> [String] {
        var list = try container.nestedUnkeyedContainer(forKey: key)
        var strings: [String] = []
        strings.reserveCapacity(list.count ?? 0)
        while !list.isAtEnd { strings.append(try list.decode(String.self)) }
        return strings
    }

    /// JSONDecoder reads strings and numbers late, and its error for one that it cannot read
    /// (half a surrogate pair, a leading zero, out of range) does not say where.
    private func placing<Value>(
        _ name: String, _ decode: (FieldKey) throws -> Value
    ) throws -> Value {
        let key = FieldKey(name)
        do {
            return try decode(key)
        } catch let error as DecodingError {
            throw error
        } catch {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: container, debugDescription: "malformed string or number")
        }
    }

    func rest() throws -> JSONObject {
        var rest: JSONObject = [:]
        for key in container.allKeys where !taken.contains(key.stringValue) {
            rest[key.stringValue] = try container.decode(JSONValue.self, forKey: key)
        }
        return rest
    }
}

private struct FieldWriter: FieldVisitor {
    var container: KeyedEncodingContainer<FieldKey>

    mutating func required<Value: Codable>(_ name: String, _ value: inout Value) throws {
        try container.encode(value, forKey: FieldKey(name))
    }

    mutating func optional<Value: Codable>(_ name: String, _ value: inout Value?) throws {
        try container.encodeIfPresent(value, forKey: FieldKey(name))
    }

    mutating func required(_ name: String, _ value: inout [String]) throws {
        try container.encode(value, forKey: FieldKey(name))
    }

    mutating func optional(_ name: String, _ value: inout [String]?) throws {
        try container.encodeIfPresent(value, forKey: FieldKey(name))
    }
}
