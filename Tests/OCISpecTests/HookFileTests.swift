import OCISpec
import Testing

@Suite struct HookFileTests {
    /// A valid file with one part replaced.
    static func file(
        version: String = #""1.0.0""#, hook: String = #"{"path":"/h"}"#,
        when: String = #"{"always":true}"#, stages: String = #"["createRuntime"]"#
    ) -> String {
        #"{"version":\#(version),"hook":\#(hook),"when":\#(when),"stages":\#(stages)}"#
    }

    @Test(arguments: [
        (file(version: #""0.1.0""#), #"version: "0.1.0" is not "1.0.0""#),
        (file(version: #""""#), #"version: "" is not "1.0.0""#),
        (file(version: "1"), "version: expected a string, found 1"),
        (file(hook: "{}"), "hook.path: missing"),
        (file(hook: #"{"path":""}"#), "hook.path: empty"),
        (file(hook: #"{"path":"bin/h"}"#), #"hook.path: "bin/h" is not absolute"#),
        (file(when: "null"), "when: expected an object, found null"),
        (file(when: "{}"), "when: no condition"),
        (file(when: #"{"commands":[],"annotations":{}}"#), "when: no condition"),
        (file(when: #"{"other":true}"#), "when: no condition"),
        (file(when: #"{"always":"yes"}"#), "when.always: expected a boolean, found a string"),
        (file(stages: "[]"), "stages: empty"),
        (file(stages: #"["prestart","foo"]"#), #"stages[1]: unknown stage "foo""#),
        (file(stages: #"["Prestart"]"#), #"stages[0]: unknown stage "Prestart""#),
        (#"{"version":"1.0.0","hook":{"path":"/h"},"stages":["poststop"]}"#, "when: missing"),
        (#"{"version":"1.0.0","hook":{"path":"/h"},"when":{}}"#, "stages: missing"),
        (#"{"version":"1.0.0","when":{},"stages":["poststop"]}"#, "hook: missing"),
        ("", "empty"),
    ])
    func faults(json: String, problem: String) {
        #expect(
            failure { () throws(DocumentError) in
                try HookFile(json: Array(json.utf8), name: "10-lxcfs.json")
            } == "10-lxcfs.json: \(problem)")
        #expect(failure(HookFile.self, json) == "hook file: \(problem)")
    }

    @Test(arguments: [
        #"{"always":false}"#, #"{"hasBindMounts":false}"#, #"{"commands":[".*"]}"#,
        #"{"annotations":{".*":".*"}}"#,
    ])
    func oneConditionIsEnough(when: String) {
        #expect(failure(HookFile.self, Self.file(when: when)) == nil)
    }

    @Test(arguments: [
        "precreate", "prestart", "createRuntime", "createContainer", "startContainer",
        "poststart", "poststop",
    ])
    func stages(name: String) throws {
        let file = try HookFile(json: Array(Self.file(stages: #"["\#(name)"]"#).utf8))
        #expect(file.stages == [name])
    }

    @Test func values() throws {
        let json = Self.file(
            hook: #"{"path":"/h","args":["h","a"],"env":["A=b"],"timeout":10}"#,
            when: #"{"annotations":{"^a$":"b"},"commands":["sh$"],"hasBindMounts":true}"#)
        let file = try HookFile(json: Array(json.utf8))
        #expect(file.hook.path == "/h")
        #expect(file.hook.args == ["h", "a"])
        #expect(file.hook.env == ["A=b"])
        #expect(file.hook.timeout == 10)
        #expect(file.when.always == nil)
        #expect(file.when.annotations == ["^a$": "b"])
        #expect(file.when.commands == ["sh$"])
        #expect(file.when.hasBindMounts == true)
    }
}
