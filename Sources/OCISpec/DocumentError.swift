import JSON

/// Why a document cannot be used, in one line:
/// `config.json: linux.resources.memory.limit: expected an integer, found a string`.
public struct DocumentError: Error, Equatable, CustomStringConvertible {
    /// The name of the document.
    public let document: String
    /// What is wrong, and where in it.
    public let fault: JSONFault

    /// - Parameter document: what errors call it.
    public init(document: String, _ fault: JSONFault) {
        self.document = document
        self.fault = fault
    }

    /// The document ends too early: a reader of a stream may still get the rest.
    public var isTruncated: Bool { fault.isTruncated }

    /// The document is no JSON, for whatever reader.
    public var isNoJSON: Bool { fault.isOfGrammar }

    public var description: String { "\(document): \(fault)" }
}
