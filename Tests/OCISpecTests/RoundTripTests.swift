import JSON
import OCISpec
import Testing

/// A document that is decoded and encoded again loses nothing.
@Suite struct RoundTripTests {
    @Test(arguments: ["runc-spec.json", "crun-spec.json", "podman.json"])
    func realConfigs(name: String) throws {
        let original = try fixture(name)
        let encoded = try Config(json: original).encoded()
        #expect(try value(encoded) == value(original))
        #expect(try Config(json: encoded) == Config(json: original))
    }

    /// Not a profile of the specification but the one it is made from, with more keys.
    @Test func realSeccompProfile() throws {
        let original = try fixture("seccomp-profile.json")
        #expect(try value(Seccomp(json: original).encoded()) == value(original))
    }

    /// Every type, each with an unknown key, with sorted keys: the bytes must be the same.
    @Test func everyLevelOfConfig() throws {
        let hook = #"[{"args":["h","x"],"env":[],"path":"/h","timeout":5,"x":1}]"#
        let json = """
            {"annotations":{"a.b/c":"d","e":""},\
            "hooks":{"createContainer":\(hook),"createRuntime":\(hook),"poststart":\(hook),\
            "poststop":\(hook),"prestart":\(hook),"startContainer":\(hook),"x":[]},\
            "hostname":"h",\
            "linux":{"cgroupsPath":"/c","devices":[{"major":1}],\
            "gidMappings":[{"containerID":0,"hostID":1,"size":2,"x":{}}],\
            "maskedPaths":["/m"],"namespaces":[{"path":"/p","type":"mount","x":1},{"type":"new"}],\
            "readonlyPaths":[],"resources":{"blockIO":{"weight":1},\
            "cpu":{"burst":1,"cpus":"0-1","mems":"0","period":18446744073709551615,"quota":-1,\
            "shares":2},\
            "hugepageLimits":[{"limit":18446744073709551615,"pageSize":"2MB","x":1}],\
            "memory":{"limit":-1,"reservation":9223372036854775807,"swap":-1,"swappiness":0},\
            "pids":{"limit":-1,"x":1},"unified":{"memory.high":"max"}},\
            "rootfsPropagation":"private",\
            "seccomp":{"architectures":["A"],"defaultAction":"D","defaultErrnoRet":38,"flags":[],\
            "listenerMetadata":"m","listenerPath":"/l","syscalls":[{"action":"S","args":[{"index":5,\
            "op":"O","value":18446744073709551615,"valueTwo":18446744073709551615,"x":0.5}],\
            "errnoRet":1,"names":["n"],"x":1}],"x":1},\
            "uidMappings":[{"containerID":4294967295,"hostID":1,"size":2}],"x":1},\
            "mounts":[{"destination":"/d","options":["ro"],"source":"s","type":"t",\
            "uidMappings":[{"containerID":0}],"x":1}],\
            "ociVersion":"1.0.2","process":{"args":["a"],"capabilities":{"bounding":[]},"cwd":"/",\
            "env":["A=b"],"noNewPrivileges":false,"terminal":true,\
            "user":{"additionalGids":[1],"gid":4294967295,"uid":0}},\
            "root":{"path":"r","readonly":false,"x":null},"vm":{"a":[null,1.5]}}
            """
        let config = try Config(json: Array(json.utf8))
        #expect(text(try config.encoded()) == json)
        #expect(config.additional == ["vm": .object(["a": .array([.null, .double(1.5)])])])
        #expect(config.linux?.resources?.memory?.limit == -1)
        #expect(config.linux?.seccomp?.syscalls?.first?.args?.first?.valueTwo == .max)
    }

    @Test func nullIsNotAbsent() throws {
        let json = #"{"hooks":null,"linux":{"maskedPaths":null},"ociVersion":"1.0.2","x":null}"#
        let config = try Config(json: Array(json.utf8))
        #expect(config.hooks == nil)
        #expect(text(try config.encoded()) == json)
    }

    @Test func valueReplacesNull() throws {
        var config = try Config(json: Array(#"{"hostname":null,"ociVersion":"1"}"#.utf8))
        config.hostname = "h"
        #expect(text(try config.encoded()) == #"{"hostname":"h","ociVersion":"1"}"#)
    }

    @Test func changesOnlyWhatIsChanged() throws {
        let original = try fixture("podman.json")
        var config = try Config(json: original)
        var hook = Hook()
        hook.path = "/usr/libexec/hook"
        config.hooks = Hooks()
        config.hooks?.createRuntime = [hook]
        guard case .object(var expected) = try value(original) else {
            Issue.record("the fixture is no object")
            return
        }
        expected["hooks"] = .object([
            "createRuntime": .array([.object(["path": .string("/usr/libexec/hook")])])
        ])
        #expect(try value(config.encoded()) == .object(expected))
    }

    @Test func state() throws {
        let json = """
            {"annotations":{"a":"b"},"bundle":"/b","id":"i","ociVersion":"1.0.2","pid":7,\
            "root":"rootfs","status":"created"}
            """
        #expect(text(try State(json: Array(json.utf8)).encoded()) == json)
    }

    @Test func hookFile() throws {
        let json = """
            {"hook":{"path":"/h","x":1},"stages":["prestart"],"version":"1.0.0",\
            "when":{"always":true,"annotations":{"^a$":"b"},"commands":["c"],\
            "hasBindMounts":false,"x":1},"x":1}
            """
        #expect(text(try HookFile(json: Array(json.utf8)).encoded()) == json)
    }

    @Test func containerProcessState() throws {
        let json = """
            {"fds":["seccompFd"],"metadata":"m","ociVersion":"1.0.2","pid":4422,"state":{\
            "bundle":"/b","id":"i","ociVersion":"1.0.2","status":"creating","x":1},"x":1}
            """
        #expect(text(try ContainerProcessState(json: Array(json.utf8)).encoded()) == json)
    }
}
