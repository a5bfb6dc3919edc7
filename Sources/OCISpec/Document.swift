import JSON

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
    ///
    /// - Parameter keepsUnknown: without it, what is read is not complete: it must not be
    ///   encoded again. What is refused is the same.
    public init(json: [UInt8], keepsUnknown: Bool = true) throws(DocumentError) {
        self = try Self.decode(json, name: Self.documentName, keepsUnknown: keepsUnknown)
    }

    /// Decodes a document whose grammar has been checked.
    public init(text: JSONText) throws(DocumentError) {
        do {
            self = try Self(text.root)
        } catch {
            throw DocumentError(document: Self.documentName, error)
        }
        if let (path, problem) = fault {
            throw DocumentError(document: Self.documentName, JSONFault(path: path, problem))
        }
    }

    /// The document as JSON with sorted keys.
    ///
    /// - Parameter pretty: in lines, for people to read; else compact.
    public func encoded(pretty: Bool = false) throws(DocumentError) -> [UInt8] {
        do {
            return try encode().encoded(pretty: pretty)
        } catch {
            throw DocumentError(document: Self.documentName, error)
        }
    }

    static func decode(
        _ json: [UInt8], name: String, keepsUnknown: Bool = true
    ) throws(DocumentError) -> Self {
        let document: Self
        do {
            document = try Self(JSONText(json, keepsUnknown: keepsUnknown).root)
        } catch {
            throw DocumentError(document: name, error)
        }
        if let (path, problem) = document.fault {
            throw DocumentError(document: name, JSONFault(path: path, problem))
        }
        return document
    }
}
