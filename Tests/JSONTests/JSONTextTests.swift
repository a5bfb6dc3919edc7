import JSON
import Testing

/// What is refused, and what is told of it.
@Suite struct JSONTextTests {
    private func fault(_ json: String) -> String? {
        do throws(JSONFault) {
            _ = try JSONText(Array(json.utf8))
            return nil
        } catch {
            return error.description + (error.isTruncated ? " (truncated)" : "")
        }
    }

    @Test(arguments: [
        #"{"a":1,}"#, #"{,}"#, #"{"a"}"#, #"{"a":}"#, #"{"a":[1,]}"#, #"{"a":[,1]}"#,
        #"{"a":[1 2]}"#, #"{"a":[}]}"#, #"{"a":[1}}"#, #"{"a":{]}"#, #"{1:2}"#, #"{a:2}"#,
        #"{"a":+1}"#, #"{"a":.5}"#, #"{"a":True}"#, #"{"a":nul1}"#, #"{"a":1}/**/"#,
        #"{"a":1;}"#, #"{"a":1 "b":2}"#, #"{"a":1}{"#, #"{"a" "b"}"#, #"{"a"::1}"#,
        #"{"a":1x}"#, #"{"\x":1}"#, #"{"\ud800":1}"#, "{\"a\n\":1}",
    ])
    func grammar(json: String) {
        #expect(fault(json) == "not JSON: syntax error")
    }

    @Test(arguments: [
        #" { } "#, #"{"a":[],"b":{},"c":[[]],"d":[{}]}"#, "{\t\"a\"\r:\n[ 1 , 2 ]\t}",
        #"{"a":-0,"b":0.0,"c":1E5,"d":1e-5,"e":-1.25e+2}"#, #"{"":""}"#,
        #"{"\u00e4\"\\\/\b\f\n\r\t":"\ud83d\ude00"}"#,
    ])
    func accepts(json: String) {
        #expect(fault(json) == nil)
    }

    /// They have the shape of a number or string, which is enough until somebody needs them.
    @Test(arguments: [
        "01", "-", "1.", "1.e1", "1e", "1e+", "-01", "1.2.3", "1-2", #""\x""#, #""\u12""#,
        #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, "\"\n\"", "1e999",
    ])
    func malformedValues(json: String) throws {
        let text = try JSONText(Array(#"{"a":[\#(json)]}"#.utf8), keepsUnknown: false)
        // It is not left out what would be refused if it were not.
        #expect(text.keepsUnknown)
        let node = try #require(text.root.members()["a"])
        #expect(throws: JSONFault.self) { try node.value() }
    }

    @Test func leavesOutOnlyWhatIsPlain() throws {
        let json = Array(#"{"a":["\ud83d\ude00",1.5,-1,{"b":null}]}"#.utf8)
        #expect(try !JSONText(json, keepsUnknown: false).keepsUnknown)
        #expect(try JSONText(json).keepsUnknown)
    }

    @Test func everyPrefixIsTruncated() {
        let json = #"{"a":[1.5,"b\u00e4\\",true,false,null,{"c":{}}],"d":-1e5}"#
        for count in 0..<json.utf8.count {
            let prefix = String(json.prefix(count))
            #expect(fault(prefix)?.hasSuffix("(truncated)") == true, "\(prefix)")
        }
        #expect(fault(json) == nil)
    }

    @Test(arguments: [1, 15, 16, 17, 40])
    func duplicateAmongMany(count: Int) {
        let members = (0..<count).map { #""k\#($0)":{"k0":1}"# }.joined(separator: ",")
        #expect(fault("{\(members)}") == nil)
        for index in [0, count / 2, count - 1] {
            let key = "k\(index)"
            #expect(fault(#"{\#(members),"\#(key)":1}"#) == "\(key): duplicate key")
        }
    }

    /// Its time must not grow with the square of the number of keys.
    @Test(.timeLimit(.minutes(1))) func keysWithoutEnd() {
        let members = (0..<200_000).map { #""k\#($0)":0"# }.joined(separator: ",")
        #expect(fault("{\(members)}") == nil)
    }

    /// The same to whoever compares strings.
    @Test func duplicatesInOtherBytes() {
        #expect(fault(#"{"ab":1,"\u0061b":2}"#) == "ab: duplicate key")
        #expect(fault(#"{"\u0061b":1,"ab":2}"#) == "ab: duplicate key")
        #expect(fault("{\"\u{e4}\":1,\"a\u{308}\":2}")?.hasSuffix("duplicate key") == true)
        #expect(fault(#"{"a\"b":1,"a\\b":2,"ab":3}"#) == nil)
    }

    @Test func members() throws {
        let text = try JSONText(Array(#"{"a":{"b":[1,[2],3]},"\u0063":"d"}"#.utf8))
        let root = try text.root.members()
        #expect(try root["c"]?.string() == "d")
        #expect(root["b"] == nil)
        #expect(root.map(\.key) == ["a", "c"])
        let list = try #require(root["a"]?.members()["b"])
        #expect(
            try list.map { (node) throws(JSONFault) in try node.value() }
                == [.integer(1), .array([.integer(2)]), .integer(3)])
        let mixed = try JSONText(Array(#"{"a":["",[]]}"#.utf8))
        let node = try #require(mixed.root.members()["a"])
        #expect(throws: JSONFault(path: "[1]", "expected a string, found an array")) {
            try [String](node)
        }
    }
}
