import FoundationEssentials

/// A record that is a whole document.
public protocol Document: Record {
    /// Names the document in errors.
    static var documentName: String { get }

    /// The most bytes that a caller should read before it gives up.
    static var sizeLimit: Int { get }

    /// What is wrong with the values, although their types are right.
    var fault: (path: String, problem: String)? { get }
}

extension Document {
    public var fault: (path: String, problem: String)? { nil }

    /// Decodes a document.
    public init(json: [UInt8]) throws(DocumentError) {
        self = try Self.decode(json, name: Self.documentName)
    }

    /// The document as JSON with sorted keys.
    ///
    /// - Parameter pretty: in lines, for people to read; else compact.
    public func encoded(pretty: Bool = false) throws(DocumentError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        do {
            return Array(try encoder.encode(self))
        } catch {
            throw DocumentError(
                document: Self.documentName, problem: "cannot be encoded: \(error)")
        }
    }

    static func decode(_ json: [UInt8], name: String) throws(DocumentError) -> Self {
        do {
            try JSONStructure.check(json)
        } catch {
            throw DocumentError(
                document: name, path: error.path, problem: error.problem,
                isTruncated: error.isTruncated)
        }
        let data = Data(json)
        let document: Self
        do {
            document = try JSONDecoder().decode(Self.self, from: data)
        } catch {
            throw DocumentError(document: name, decoding: error, of: data)
        }
        if let (path, problem) = document.fault {
            throw DocumentError(document: name, path: path, problem: problem)
        }
        return document
    }
}
