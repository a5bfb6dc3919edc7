import OCISpec
import Testing

/// The values of documents as real programs write them.
@Suite struct DecodingTests {
    @Test func stateFromRunc() throws {
        let state = try State(
            json: Array(
                """
                {"ociVersion":"1.0.2-dev","id":"c1","status":"creating","pid":4242,\
                "bundle":"/srv/b","annotations":{"a":"b"}}
                """.utf8))
        #expect(state.ociVersion == "1.0.2-dev")
        #expect(state.id == "c1")
        #expect(state.status == .creating)
        #expect(state.pid == 4242)
        #expect(state.bundle == "/srv/b")
        #expect(state.annotations == ["a": "b"])
        #expect(state.additional.isEmpty)
    }

    @Test func stateFromCrun() throws {
        let state = try State(
            json: Array(
                """
                {
                  "ociVersion": "1.0",
                  "id": "c1",
                  "pid": 4242,
                  "root": "rootfs",
                  "bundle": "/srv/b",
                  "status": "created"
                }

                """.utf8))
        #expect(state.status == .created)
        #expect(state.annotations == nil)
        #expect(state.additional == ["root": .string("rootfs")])
    }

    @Test(arguments: ["creating", "created", "running", "stopped"])
    func status(word: String) throws {
        let json = #"{"ociVersion":"1","id":"i","status":"\#(word)","bundle":"/b"}"#
        let state = try State(json: Array(json.utf8))
        #expect(state.status.rawValue == word)
        #expect(state.pid == nil)
    }

    @Test func containerProcessState() throws {
        let state = try ContainerProcessState(
            json: Array(
                """
                {"ociVersion":"0.2.0","fds":["seccompFd","other"],"pid":4422,"metadata":"m",\
                "state":{"ociVersion":"0.2.0","id":"oci","status":"creating","pid":4422,\
                "bundle":"/b"}}
                """.utf8))
        #expect(state.fds == ["seccompFd", "other"])
        #expect(state.pid == 4422)
        #expect(state.metadata == "m")
        #expect(state.state.id == "oci")
        #expect(state.state.status == .creating)
        #expect(
            failure(
                ContainerProcessState.self,
                #"{"ociVersion":"1","fds":[],"pid":1,"state":{"id":1}}"#)
                == "container process state: state.ociVersion: missing")
    }

    @Test(arguments: ["runc-spec.json", "crun-spec.json"])
    func specOfRuntime(name: String) throws {
        let config = try Config(json: fixture(name))
        #expect(config.root?.path == "rootfs")
        #expect(config.root?.readonly == true)
        #expect(config.process?.args == ["sh"])
        #expect(config.process?.cwd == "/")
        #expect(config.process?.terminal == true)
        #expect(config.process?.noNewPrivileges == true)
        #expect(config.process?.user?.uid == 0)
        #expect(config.process?.additional["rlimits"] != nil)
        #expect(config.mounts?.first?.destination == "/proc")
        #expect(config.mounts?.first?.type == "proc")
        #expect(config.linux?.namespaces?.contains { $0.type == "mount" } == true)
        #expect(config.linux?.maskedPaths?.contains("/proc/kcore") == true)
        #expect(config.linux?.readonlyPaths?.contains("/proc/sys") == true)
        #expect(config.hooks == nil)
    }

    @Test func configOfPodman() throws {
        let config = try Config(json: fixture("podman.json"))
        #expect(config.root?.path == "/srv/example/rootfs")
        #expect(config.process?.env?.count == 63)
        #expect(config.mounts?.count == 22)
        #expect(config.annotations?["org.example.key40"] == "value40")
        let linux = try #require(config.linux)
        #expect(linux.resources?.memory?.limit == 268_435_456)
        #expect(linux.resources?.memory?.swap == 536_870_912)
        #expect(linux.resources?.cpu?.quota == 150_000)
        #expect(linux.resources?.cpu?.period == 100_000)
        #expect(linux.resources?.pids?.limit == 2048)
        #expect(linux.seccomp?.defaultAction == "SCMP_ACT_ERRNO")
        #expect(linux.seccomp?.defaultErrnoRet == 38)
        #expect(linux.seccomp?.syscalls?.count == 22)
        #expect(linux.additional.keys.sorted() == ["sysctl"])
    }
}
