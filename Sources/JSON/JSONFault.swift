/// Why a text cannot be used: what is wrong, and where.
public struct JSONFault: Error, Equatable, CustomStringConvertible {
    /// The keys and indices that lead to the value at fault, as an error writes them; empty
    /// if it is the text itself.
    public var path: String
    /// What is wrong.
    public var problem: String
    /// The text ends too early: a reader of a stream may still get the rest.
    public var isTruncated: Bool
    /// The text does not have JSON's grammar, or ends too early: no other reader takes it either.
    public var isOfGrammar: Bool
    /// Not the value is named but the next key above it.
    private(set) var isOfKey = false

    public init(
        path: String = "", _ problem: String, isTruncated: Bool = false,
        isOfGrammar: Bool = false
    ) {
        self.path = path
        self.problem = problem
        self.isTruncated = isTruncated
        self.isOfGrammar = isOfGrammar || isTruncated
    }

    /// A string or number that has the shape of one but not the content (half a surrogate
    /// pair, a leading zero).
    static var malformed: JSONFault { ofKey("malformed string or number") }

    /// The same, or a number beyond any range, in what was only to be kept.
    static var unrepresentable: JSONFault {
        ofKey("contains a value that cannot be represented")
    }

    private static func ofKey(_ problem: String) -> JSONFault {
        var fault = JSONFault(problem)
        fault.isOfKey = true
        return fault
    }

    public var description: String { path.isEmpty ? problem : "\(path): \(problem)" }

    /// The same fault, seen from the object that has the value under `key`.
    public func below(key: String) -> JSONFault {
        var text = ""
        JSONPath.append(key, to: &text)
        return prefixed(text)
    }

    /// The same fault, seen from the array that has the value at `index`.
    public func below(index: Int) -> JSONFault { prefixed("[\(index)]") }

    private func prefixed(_ text: String) -> JSONFault {
        var fault = self
        fault.isOfKey = false
        fault.path =
            path.isEmpty || path.hasPrefix("[") ? text + path : "\(text).\(path)"
        return fault
    }
}
