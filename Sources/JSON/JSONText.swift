/// A JSON text whose grammar has been checked, and where each of its values is.
///
/// Values are made of it only where somebody asks for them: a hook that looks at ten of the
/// thousand values of a config.json need not wait for the others.
public final class JSONText: Sendable {
    let bytes: [UInt8]
    let entries: [JSONEntry]
    /// Values that nobody asks for are kept, see ``JSONNode/value``.
    public let keepsUnknown: Bool

    /// - Parameters:
    ///   - bytes: an object, in UTF-8.
    ///   - keepsUnknown: for readers that distinguish keys that they know from others.
    ///     Without it, they may leave out the others. Text in which one of them may not be
    ///     what it looks like is read as with it, so that the same texts are refused.
    public init(_ bytes: [UInt8], keepsUnknown: Bool = true) throws(JSONFault) {
        var scanner = JSONScanner(bytes)
        try scanner.run()
        self.bytes = bytes
        entries = scanner.entries
        self.keepsUnknown = keepsUnknown || scanner.hasDoubtful
    }
}
