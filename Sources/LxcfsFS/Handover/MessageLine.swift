import Control
import JSON
import Syscalls

/// A message between keeper and worker as it goes over the wire: one JSON object.
///
/// The two may be of different versions, and so the keys and the words of ``MessageKind`` are
/// part of the contract between versions. Keys that are not known are ignored.
struct MessageLine: Fields {
    /// A word of ``MessageKind``; others come from later versions.
    var kind = ""
    /// `keep`, `forget`: the name of the descriptor.
    var name: String?
    /// `keep`: what belongs to the descriptor; absent means empty.
    var payload: String?
    /// `ready`: the worker's ``Contract``; absent means the first one.
    var contract: Int?

    init() {}

    init(_ kind: MessageKind, name: String? = nil, payload: String? = nil) {
        self.kind = kind.rawValue
        self.name = name
        self.payload = payload
    }

    mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("kind", &kind)
        try fields.optional("name", &name)
        try fields.optional("payload", &payload)
        try fields.optional("contract", &contract)
    }

    /// - Throws: if the other side would get only a part of it.
    func checkSize() throws(DaemonError) {
        let size = encodeLine(self).count
        guard size <= MessageSocket.sizeLimit else {
            throw DaemonError("a message of \(size) bytes is too long")
        }
    }
}
