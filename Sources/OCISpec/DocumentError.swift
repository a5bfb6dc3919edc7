import FoundationEssentials

/// Why a document cannot be used, in one line:
/// `config.json: linux.resources.memory.limit: expected an integer, found a string`.
public struct DocumentError: Error, Equatable, CustomStringConvertible {
    /// The name of the document.
    public var document: String
    /// The keys that lead to the value at fault; empty if it is the document itself.
    public var path: String
    /// What is wrong.
    public var problem: String
    /// The document ends too early: a reader of a stream may still get the rest.
    public var isTruncated: Bool

    init(document: String, path: String = "", problem: String, isTruncated: Bool = false) {
        self.document = document
        self.path = path
        self.problem = problem
        self.isTruncated = isTruncated
    }

    public var description: String {
        path.isEmpty ? "\(document): \(problem)" : "\(document): \(path): \(problem)"
    }
}

extension DocumentError {
    init(document: String, decoding error: any Error, of data: Data) {
        guard let error = error as? DecodingError else {
            self.init(document: document, problem: "cannot be decoded: \(error)")
            return
        }
        // Only now, when speed no longer matters, is it looked up what was found.
        func found(_ path: [any CodingKey]) -> JSONValue? {
            (try? JSONDecoder().decode(JSONValue.self, from: data))?[path]
        }
        func mismatch(_ type: any Any.Type, _ path: [any CodingKey]) -> String {
            let found = found(path).map { ", found \($0.summary)" } ?? ""
            return "expected \(Self.noun(type))\(found)"
        }
        let path: [any CodingKey]
        let problem: String
        switch error {
        case .keyNotFound(let key, let context):
            path = context.codingPath + [key]
            problem = "missing"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            path = context.codingPath
            problem = mismatch(type, path)
        case .dataCorrupted(let context):
            path = context.codingPath
            switch found(path) {
            case nil where path.isEmpty: problem = "not JSON: syntax error"
            case .integer(let value): problem = "\(value) is out of range"
            case .unsigned(let value): problem = "\(value) is out of range"
            case .double(let value): problem = "\(value) is not an integer in range"
            default: problem = context.debugDescription
            }
        @unknown default:
            path = []
            problem = "cannot be decoded"
        }
        self.init(document: document, path: DocumentPath.text(path), problem: problem)
    }

    private static func noun(_ type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "a boolean"
        case is any FixedWidthInteger.Type: "an integer"
        case is any ArrayType.Type: "an array"
        default: "an object"
        }
    }
}

private protocol ArrayType {}
extension Array: ArrayType {}

/// How an error writes where it is.
enum DocumentPath {
    static func text(_ keys: [any CodingKey]) -> String {
        keys.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                append(key.stringValue, to: &text)
            }
        }
    }

    /// A key with dots, as those of annotations, is quoted; that also keeps a line break
    /// in a key out of the message.
    static func append(_ key: String, to text: inout String) {
        let isPlain = key.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        if !isPlain || key.isEmpty {
            text += "[\(key.debugDescription)]"
        } else {
            text += text.isEmpty ? key : ".\(key)"
        }
    }
}
