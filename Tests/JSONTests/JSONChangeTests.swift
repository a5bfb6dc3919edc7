import JSON
import Testing

@Suite struct JSONChangeTests {
    private func changed(_ text: String, _ change: JSONChange) throws -> String {
        String(decoding: try JSONText(Array(text.utf8)).changed(change), as: UTF8.self)
    }

    private let seven = JSONChange.value(.integer(7))

    @Test func leavesAllOtherBytes() throws {
        let text = #"{ "b" : [1.0, 1e5, 12345678901234567890123],  "a": "\u00e4\/", "c":null }"#
        #expect(
            try changed(text, .members(["a": seven]))
                == #"{ "b" : [1.0, 1e5, 12345678901234567890123],  "a": 7, "c":null }"#)
        #expect(
            try changed(text, .members(["b": .elements([1: seven], appended: [])]))
                == #"{ "b" : [1.0, 7, 12345678901234567890123],  "a": "\u00e4\/", "c":null }"#)
    }

    @Test(
        arguments: [
            (#"{}"#, #"{"x":7}"#), (#"{ }"#, #"{"x":7 }"#), (#"{"a":1}"#, #"{"a":1,"x":7}"#),
            ("{\n  \"a\": \"b\"\n}", "{\n  \"a\": \"b\",\"x\":7\n}"),
            (#"{"x":null}"#, #"{"x":7}"#),
            (#"{"\u0078":true,"y":[]}"#, #"{"\u0078":7,"y":[]}"#),
            (#"{"x":{"x":1}}"#, #"{"x":7}"#),
        ])
    func setsAMember(_ text: String, _ result: String) throws {
        #expect(try changed(text, .members(["x": seven])) == result)
    }

    @Test(
        arguments: [
            (#"{}"#, #"{"x":{"l":[7]}}"#), (#"{"x":null}"#, #"{"x":{"l":[7]}}"#),
            (#"{"x":{}}"#, #"{"x":{"l":[7]}}"#), (#"{"x":{"l":[]}}"#, #"{"x":{"l":[7]}}"#),
            (#"{"x":{"l":null},"y":1}"#, #"{"x":{"l":[7]},"y":1}"#),
            (#"{"x":{"l":[1,"a" ] } }"#, #"{"x":{"l":[1,"a",7 ] } }"#),
            (#"{"x":{"l":[[]]}}"#, #"{"x":{"l":[[],7]}}"#),
        ])
    func appendsWhatMayNotBeThere(_ text: String, _ result: String) throws {
        let change = JSONChange.members([
            "x": .members(["l": .elements([:], appended: [.integer(7)])])
        ])
        #expect(try changed(text, change) == result)
    }

    @Test func changesSeveralAtOnce() throws {
        let change = JSONChange.members([
            "b": .members(["new": seven, "z": seven]),
            "a": .elements([0: .members(["k": seven])], appended: [.null, .bool(true)]),
            "q": seven,
        ])
        #expect(
            try changed(#"{"b":{"z":"s"},"a":[{"j":1}]}"#, change)
                == #"{"b":{"z":7,"new":7},"a":[{"j":1,"k":7},null,true],"q":7}"#)
    }

    @Test func refusesAnotherKindOfValue() throws {
        let error = #expect(throws: JSONFault.self) {
            try changed(#"{"a":{"b":5}}"#, .members(["a": .members(["b": .members([:])])]))
        }
        #expect(error?.description == "a.b: expected an object, found 5")
    }
}
