import JSON

/// What is on record of a kept descriptor, for a keeper that gets it from the service manager:
/// that knows only the number in its name.
///
/// A list of these, as a JSON array, is `kept.json` in the runtime directory. Another version
/// may read it, so its keys are part of the contract between versions.
struct KeptRecord: Fields {
    var name = ""
    var payload = ""
    /// In the service manager's store it is called `kept-<number>`; from 1 on.
    var number = 0

    init() {}

    init(name: String, payload: String, number: Int) {
        self.name = name
        self.payload = payload
        self.number = number
    }

    mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("name", &name)
        try fields.required("payload", &payload)
        try fields.required("number", &number)
    }

    /// Reads a list.
    static func list(_ text: [UInt8]) throws(JSONFault) -> [KeptRecord] {
        // `JSONText` is for objects.
        let object = Array(#"{"list":"#.utf8) + text + [UInt8(ascii: "}")]
        guard let list = try JSONText(object, keepsUnknown: false).root.members()["list"] else {
            throw JSONFault("missing")
        }
        return try [KeptRecord](list)
    }
}
