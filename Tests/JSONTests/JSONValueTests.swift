import JSON
import Testing

/// Any JSON, not only an object.
private func value(_ json: String) throws -> JSONValue {
    let text = try JSONText(Array(#"{"value":\#(json)}"#.utf8))
    return try #require(text.root.members()["value"]).value()
}

@Suite struct JSONValueTests {
    @Test(arguments: [
        ("null", JSONValue.null),
        ("true", .bool(true)),
        ("0", .integer(0)),
        ("1", .integer(1)),
        ("-1", .integer(-1)),
        ("9007199254740993", .integer(9_007_199_254_740_993)),
        ("9223372036854775807", .integer(.max)),
        ("-9223372036854775808", .integer(.min)),
        ("9223372036854775808", .unsigned(9_223_372_036_854_775_808)),
        ("18446744073709551615", .unsigned(.max)),
        ("0.1", .double(0.1)),
        // Its fraction is lost on the way.
        ("1844674407370955161.05", .integer(1_844_674_407_370_955_264)),
        ("-2.5", .double(-2.5)),
        ("\"\"", .string("")),
        ("\"true\"", .string("true")),
        ("\"12\"", .string("12")),
        ("\"a\\n\\u00e4\\ud83d\\ude00\"", .string("a\nä😀")),
        ("[]", .array([])),
        ("{}", .object([:])),
        ("[null,[1]]", .array([.null, .array([.integer(1)])])),
        ("{\"a\":null}", .object(["a": .null])),
    ])
    func decodes(json: String, expected: JSONValue) throws {
        let decoded = try value(json)
        #expect(decoded == expected)
        for pretty in [false, true] {
            let text = String(decoding: decoded.encoded(pretty: pretty), as: UTF8.self)
            #expect(try value(text) == expected)
        }
    }

    @Test func encodesExactly() throws {
        let json = """
            {"a":[null,true,false,0,-1,18446744073709551615,-9223372036854775808,0.1],"b":{"c":{}}}
            """
        #expect(String(decoding: try value(json).encoded(), as: UTF8.self) == json)
    }

    @Test(arguments: ["1e400", "\"\\ud800\""])
    func rejectsWhatItCannotKeep(json: String) {
        #expect(throws: JSONFault.self) {
            try value("[\(json)]")
        }
    }

    @Test func escapesWhatItMust() {
        let text = JSONValue.string("\"\\/\n\r\t\u{1}\u{1f}\u{7f}ä😀").encoded()
        #expect(
            String(decoding: text, as: UTF8.self)
                == #""\"\\/\n\r\t\u0001\u001f"# + "\u{7f}ä😀\"")
    }

    @Test func pretty() throws {
        let text = try value(#"{"b":[1,{}],"a":[]}"#).encoded(pretty: true)
        #expect(
            String(decoding: text, as: UTF8.self)
                == """
                {
                  "a": [],
                  "b": [
                    1,
                    {}
                  ]
                }
                """)
    }
}
