import OCISpec
import Testing

/// Errors are one line which says where and what.
@Suite struct ErrorTests {
    @Test(arguments: [
        (#""limit":"1""#, "limit: expected an integer, found a string"),
        (#""limit":{}"#, "limit: expected an integer, found an object"),
        (#""limit":true"#, "limit: expected an integer, found a boolean"),
        (#""limit":1.5"#, "limit: 1.5 is not an integer in range"),
        (#""limit":9223372036854775808"#, "limit: 9223372036854775808 is out of range"),
    ])
    func integers(member: String, problem: String) {
        let json = #"{"ociVersion":"1","linux":{"resources":{"memory":{\#(member)}}}}"#
        #expect(
            failure(Config.self, json) == "config.json: linux.resources.memory.\(problem)")
    }

    @Test(arguments: [
        (#"{}"#, "ociVersion: missing"),
        (#"{"ociVersion":null}"#, "ociVersion: expected a string, found null"),
        (#"{"ociVersion":1}"#, "ociVersion: expected a string, found 1"),
        (#"{"ociVersion":"1","root":{}}"#, "root.path: missing"),
        (#"{"ociVersion":"1","root":[]}"#, "root: expected an object, found an array"),
        (#"{"ociVersion":"1","mounts":{}}"#, "mounts: expected an array, found an object"),
        (
            #"{"ociVersion":"1","mounts":[{"destination":"/a"},{"type":"b"}]}"#,
            "mounts[1].destination: missing"
        ),
        (
            #"{"ociVersion":"1","process":{"args":["a",1]}}"#,
            "process.args[1]: expected a string, found 1"
        ),
        (
            #"{"ociVersion":"1","process":{"args":[null]}}"#,
            "process.args[0]: expected a string, found null"
        ),
        (
            #"{"ociVersion":"1","process":{"args":"a"}}"#,
            "process.args: expected an array, found a string"
        ),
        (
            #"{"ociVersion":"1","process":{"args":["\ud800"]}}"#,
            "process.args: malformed string or number"
        ),
        (
            #"{"ociVersion":"1","linux":{"cgroupsPath":"\ud800"}}"#,
            "linux.cgroupsPath: malformed string or number"
        ),
        (
            #"{"ociVersion":"1","linux":{"resources":{"pids":{"limit":01}}}}"#,
            "linux.resources.pids.limit: malformed string or number"
        ),
        (
            #"{"ociVersion":"1","process":{"terminal":1}}"#,
            "process.terminal: expected a boolean, found 1"
        ),
        (
            #"{"ociVersion":"1","process":{"user":{"uid":-1,"gid":0}}}"#,
            "process.user.uid: -1 is out of range"
        ),
        (
            #"{"ociVersion":"1","process":{"user":{"uid":4294967296,"gid":0}}}"#,
            "process.user.uid: 4294967296 is out of range"
        ),
        (
            #"{"ociVersion":"1","linux":{"resources":{"cpu":{"period":-1}}}}"#,
            "linux.resources.cpu.period: -1 is out of range"
        ),
        (
            #"{"ociVersion":"1","annotations":{"a.b\nc":1}}"#,
            #"annotations["a.b\nc"]: expected a string, found 1"#
        ),
        (
            #"{"ociVersion":"1","hooks":{"poststop":[{"path":"/a","timeout":"1"}]}}"#,
            "hooks.poststop[0].timeout: expected an integer, found a string"
        ),
        (
            #"{"ociVersion":"1","vm":["\ud800"]}"#,
            "vm: contains a value that cannot be represented"
        ),
    ])
    func config(json: String, problem: String) {
        #expect(failure(Config.self, json) == "config.json: \(problem)")
    }

    @Test func unknownStatus() {
        let json = #"{"ociVersion":"1","id":"i","status":"foo","bundle":"/b"}"#
        #expect(failure(State.self, json) == #"state: status: unknown status "foo""#)
    }

    @Test(arguments: ["ociVersion", "id", "status", "bundle"])
    func stateRequires(key: String) {
        let members = ["ociVersion": "1", "id": "i", "status": "stopped", "bundle": "/b"]
            .filter { $0.key != key }.map { #""\#($0.key)":"\#($0.value)""# }
        let json = "{\(members.joined(separator: ","))}"
        #expect(failure(State.self, json) == "state: \(key): missing")
    }

    @Test(arguments: [
        ("", "empty"),
        (" \n\t\r", "empty"),
        ("{", "not JSON: unexpected end of input"),
        (#"{"id"#, "not JSON: unexpected end of input"),
        (#"{"id":"a\""#, "not JSON: unexpected end of input"),
        (#"{"id":"a\"#, "not JSON: unexpected end of input"),
        (#"{"id":tru"#, "not JSON: unexpected end of input"),
        (#"{"id":["#, "not JSON: unexpected end of input"),
        ("{'id':1}", "not JSON: syntax error"),
        (#"{"id" 1}"#, "not JSON: syntax error"),
        (#"{"id":NaN}"#, "not JSON: syntax error"),
        (#"{"id":1]"#, "not JSON: syntax error"),
        ("{}}", "not JSON: syntax error"),
        ("{} x", "not JSON: syntax error"),
        ("{}{}", "not JSON: syntax error"),
        ("\u{FEFF}{}", "not JSON: syntax error"),
        ("null", "not JSON: syntax error"),
        ("[]", "expected an object, found an array"),
        ("[{}]", "expected an object, found an array"),
        ("\"a\"", "expected an object, found a string"),
        ("-1", "expected an object, found a number"),
    ])
    func notADocument(json: String, problem: String) {
        #expect(failure(State.self, json) == "state: \(problem)")
    }

    @Test func notUTF8() {
        let head = Array(#"{"ociVersion":"1","x":""#.utf8)
        for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xC3]] {
            #expect(
                failure { () throws(DocumentError) in
                    try Config(json: head + bytes + Array("\"}".utf8))
                } == "config.json: not JSON: not UTF-8 text")
        }
        let utf16 = #"{"ociVersion":"1"}"#.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(
            failure { () throws(DocumentError) in try Config(json: utf16) }
                == "config.json: not JSON: not UTF-8 text")
    }

    /// Every proper prefix of a document is recognised as one that may go on.
    @Test func truncation() throws {
        let whole = try fixture("crun-spec.json")
        let end = try #require(whole.lastIndex(of: UInt8(ascii: "}")))
        for length in stride(from: 0, through: end, by: 7) {
            #expect(throws: DocumentError.self) { try Config(json: Array(whole[..<length])) }
            do throws(DocumentError) {
                _ = try Config(json: Array(whole[..<length]))
            } catch {
                #expect(error.isTruncated, "\(length) bytes: \(error)")
            }
        }
        _ = try Config(json: Array(whole[...end]))
        do throws(DocumentError) {
            _ = try Config(json: Array("{]".utf8))
        } catch {
            #expect(!error.isTruncated)
        }
    }

    @Test(arguments: [
        (#"{"ociVersion":"1","ociVersion":"2"}"#, "ociVersion"),
        (
            #"{"ociVersion":"1","linux":{"maskedPaths":["/a"],"maskedPaths":[]}}"#,
            "linux.maskedPaths"
        ),
        (#"{"ociVersion":"1","mounts":[{"a":1},{"b":1,"c":{"b":2},"b":3}]}"#, "mounts[1].b"),
        (#"{"ociVersion":"1","a":1,"\u0061":2}"#, "a"),
        (#"{"ociVersion":"1","x":[[],[0,{"y":"{","y":1}]]}"#, "x[1][1].y"),
    ])
    func duplicateKeys(json: String, path: String) {
        #expect(failure(Config.self, json) == "config.json: \(path): duplicate key")
    }

    @Test(arguments: [
        #"{"ociVersion":"1","a":{"b":1},"c":{"b":1},"b":["b","b"]}"#,
        #"{"ociVersion":"1","a":"{\"a\":1,\"a\":2}"}"#,
        #"{"ociVersion":"1","":[{"a":1},{"a":1}],"\\":1,"\"":",\"a\":["}"#,
    ])
    func noDuplicateKeys(json: String) {
        #expect(failure(Config.self, json) == nil)
    }

    @Test(arguments: ["[", "{\"a\":"])
    func deepNesting(open: String) {
        let json = #"{"ociVersion":"1","x":"# + String(repeating: open, count: 100_000)
        #expect(failure(Config.self, json) == "config.json: nested deeper than 128 levels")
    }

    @Test func nestingUpToTheLimit() throws {
        func nested(_ depth: Int) -> String {
            #"{"ociVersion":"1","x":"# + String(repeating: "[", count: depth)
                + String(repeating: "]", count: depth) + "}"
        }
        #expect(failure(Config.self, nested(127)) == nil)
        #expect(
            failure(Config.self, nested(128)) == "config.json: nested deeper than 128 levels")
    }

    @Test func tenMegabytes() throws {
        let variable = "A=" + String(repeating: "x", count: 10_000_000)
        let config = try Config(
            json: Array(#"{"ociVersion":"1","process":{"env":["\#(variable)"]}}"#.utf8))
        #expect(config.process?.env == [variable])
    }

    @Test func manyKeys() throws {
        let members = (0..<50_000).map { #""key\#($0)":"v""# }.joined(separator: ",")
        let config = try Config(
            json: Array(#"{"ociVersion":"1","annotations":{\#(members)}}"#.utf8))
        #expect(config.annotations?.count == 50_000)
    }
}
