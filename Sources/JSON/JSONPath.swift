/// How an error writes where it is.
enum JSONPath {
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
