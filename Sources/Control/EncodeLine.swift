import Glibc
import JSON

/// A message as one line of JSON.
public func encodeLine(_ message: some FieldValue) -> [UInt8] {
    do {
        return try message.encode().encoded() + [UInt8(ascii: "\n")]
    } catch {
        // Only a value that JSON cannot hold (a NaN) fails; the messages have none.
        preconditionFailure("a control message cannot be encoded: \(error)")
    }
}
