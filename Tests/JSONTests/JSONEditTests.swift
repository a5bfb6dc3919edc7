import Testing

@testable import JSON

@Suite struct JSONEditTests {
    static func edited(_ text: String, _ change: (inout JSONEdit) throws -> Void) throws
        -> String
    {
        var edit = try JSONEdit(Array(text.utf8))
        try change(&edit)
        return String(decoding: edit.bytes, as: UTF8.self)
    }

    static let docker = """
        {
          "log-opts": { "max-size": "10m" },
          "runtimes": {
            "nvidia": {"path": "x"}
          },
          "live-restore": true
        }

        """

    @Test func aMemberIsAddedAsTheOthersAreWritten() throws {
        let text = try Self.edited(Self.docker) {
            try $0.set(["runtimes", "lxcfs", "path"], to: .string("/r"))
            try $0.set(["default-runtime"], to: .string("lxcfs"))
        }
        #expect(
            text == """
                {
                  "log-opts": { "max-size": "10m" },
                  "runtimes": {
                    "nvidia": {"path": "x"},
                    "lxcfs": {
                      "path": "/r"
                    }
                  },
                  "live-restore": true,
                  "default-runtime": "lxcfs"
                }

                """)
    }

    @Test(arguments: [
        docker, "{}", "{}\n", "{\"a\":1}", "{ \"a\" : [1, 2] }\n", "{\n\t\"a\": {}\n}",
        "{\r\n  \"a\": 1\r\n}\r\n", "  {\n  \"a\": 1}\n\n",
    ])
    func whatIsAddedCanBeTakenOut(_ text: String) throws {
        let result = try Self.edited(text) {
            try $0.set(["new", "x"], to: .object(["y": .array([.integer(1)])]))
            #expect(try $0.value() != JSONText(Array(text.utf8)).root.value())
            try $0.remove(["new"])
        }
        #expect(result == text)
    }

    @Test func linesEndAsTheOthersDo() throws {
        let text = try Self.edited("{\r\n\t\"a\": 1\r\n}\r\n") {
            try $0.set(["b", "c"], to: .bool(true))
        }
        #expect(text == "{\r\n\t\"a\": 1,\r\n\t\"b\": {\r\n\t\t\"c\": true\r\n\t}\r\n}\r\n")
    }

    @Test func theFirstAndTheOnlyMemberGo() throws {
        #expect(
            try Self.edited("{\"a\": 1, \"b\": 2}") { try $0.remove(["a"]) } == "{\"b\": 2}")
        #expect(try Self.edited("{ \"a\": {} }") { try $0.remove(["a"]) } == "{}")
        #expect(try Self.edited("{\"a\": 1}") { try $0.remove(["b", "c"]) } == "{\"a\": 1}")
        #expect(try Self.edited("{\"a\": 1}") { try $0.remove(["a", "c"]) } == "{\"a\": 1}")
    }

    @Test func aValueIsReplacedWithItsQuotes() throws {
        #expect(
            try Self.edited("{\"a\\u0062\": \"x\\n\"}") { try $0.set(["ab"], to: .null) }
                == "{\"a\\u0062\": null}")
    }

    @Test func whatIsNoObjectStays() throws {
        var edit = try JSONEdit(Array("{\"a\": {\"b\": []}}".utf8))
        let fault = #expect(throws: JSONFault.self) {
            try edit.set(["a", "b", "c"], to: .null)
        }
        #expect(fault?.description == "a.b: expected an object")
        #expect(edit.bytes == Array("{\"a\": {\"b\": []}}".utf8))
    }

    @Test(arguments: [
        ("{\n  // a comment\n}", 2, 3), ("{\"a\": 1,}", 1, 9), ("{\"a\": tru}", 1, 7),
        ("{}\n{}", 2, 1), ("{\"a\": 1", 1, 8), ("{\n\"a\": 1,\n \"a\": 2}", 3, 2),
    ])
    func theFaultHasAPlace(_ text: String, _ line: Int, _ column: Int) {
        let place = JSONPlace(ofFaultIn: Array(text.utf8))
        #expect(place?.line == line)
        #expect(place?.column == column)
    }

    @Test func aGoodTextHasNoFault() { #expect(JSONPlace(ofFaultIn: Array("{}".utf8)) == nil) }
}
