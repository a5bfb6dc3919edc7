/// A place in a text, as editors count it.
public struct JSONPlace: Equatable, Sendable {
    /// From 1.
    public let line: Int
    /// From 1, in bytes.
    public let column: Int

    /// The token at which a text stops being an object in JSON; nil if it is one, or is no UTF-8.
    public init?(ofFaultIn bytes: [UInt8]) {
        var scanner = JSONScanner(bytes)
        do {
            try scanner.run()
            return nil
        } catch {
            guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
            let before = bytes.prefix(scanner.token)
            line = before.count { $0 == UInt8(ascii: "\n") } + 1
            column =
                before.count - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0)
                + 1
        }
    }
}
