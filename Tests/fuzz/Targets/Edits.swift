import JSON
import KernelText

/// A member that is set is there, all else is as it was, and without it the text is the one before.
@Sendable func fuzzJSONEdit(_ input: Bytes) {
    let bytes = Array(input)
    let before: JSONValue
    var edit: JSONEdit
    do {
        edit = try JSONEdit(bytes)
    } catch {
        if let place = JSONPlace(ofFaultIn: bytes) {
            require(place.line > 0 && place.column > 0, "a fault is nowhere")
        }
        return
    }
    require(JSONPlace(ofFaultIn: bytes) == nil, "a good text has a fault")
    guard let value = try? edit.value(), case .object(let members) = value else { return }
    before = value
    let key = "lxcfs-hook"
    guard members[key] == nil else { return }
    do {
        try edit.set([key, "path"], to: .string("a\n\"b"))
        guard case .object(var after) = try edit.value() else {
            fatalError("an object has become something else")
        }
        require(
            after.removeValue(forKey: key) == .object(["path": .string("a\n\"b")]),
            "what was set is not there")
        require(JSONValue.object(after) == before, "something else has changed")
        try edit.remove([key])
        require(try edit.value() == before, "something else has gone")
        // Space in an empty object is nothing that is kept.
        if !members.isEmpty { require(edit.bytes == bytes, "the layout has changed") }
    } catch {
        fatalError("what was read cannot be changed: \(error)")
    }
}
