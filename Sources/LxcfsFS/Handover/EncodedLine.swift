import FoundationEssentials

/// What the processes of the daemon tell each other, as one line of JSON.
package func encodeLine(_ message: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
        return Array(try encoder.encode(message)) + [UInt8(ascii: "\n")]
    } catch {
        // Only a value that JSON cannot hold (a NaN) fails; the messages have none.
        preconditionFailure("a message cannot be encoded: \(error)")
    }
}
