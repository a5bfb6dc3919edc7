import OCISpec
import Testing

@testable import LxcfsHook

@Suite struct InterceptionTests {
    private let socket = "/run/lxcfs/seccomp.sock"

    private func apply(_ json: String?, _ calls: [String] = ["sysinfo"]) throws
        -> Interception.Outcome
    {
        let profile = try json.map { try Seccomp(json: Array($0.utf8)) }
        return Interception(listenerPath: socket, calls: calls).applied(to: profile)
    }

    private func rules(_ outcome: Interception.Outcome) -> [String] {
        (outcome.profile?.syscalls ?? []).map {
            "\($0.names.joined(separator: ",")) \($0.action)"
        }
    }

    @Test func withoutAProfileEverythingElseStaysAllowed() throws {
        let outcome = try apply(nil)
        let profile = try #require(outcome.profile)
        #expect(profile.defaultAction == "SCMP_ACT_ALLOW")
        #expect(profile.listenerPath == socket)
        #expect(profile.listenerMetadata == "lxcfs-hook")
        #expect(rules(outcome) == ["sysinfo SCMP_ACT_NOTIFY"])
        #expect(outcome.objections.isEmpty)
        // A 32-bit program would be killed if its architecture were missing.
        #if arch(x86_64)
            #expect(
                profile.architectures
                    == ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"])
        #endif
    }

    @Test func isTakenOutOfTheListThatAllowsIt() throws {
        let outcome = try apply(
            """
            {"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,
             "architectures":["SCMP_ARCH_X86_64"],"flags":["SECCOMP_FILTER_FLAG_LOG"],
             "syscalls":[
               {"names":["bdflush"],"action":"SCMP_ACT_ERRNO","errnoRet":1},
               {"names":["read","sysinfo","write"],"action":"SCMP_ACT_ALLOW","args":[],
                "comment":"kept","includes":{},"excludes":{}},
               {"names":["sysinfo"],"action":"SCMP_ACT_ALLOW"}],
             "archMap":[1]}
            """)
        #expect(
            rules(outcome) == [
                "bdflush SCMP_ACT_ERRNO", "read,write SCMP_ACT_ALLOW",
                "sysinfo SCMP_ACT_NOTIFY",
            ])
        let profile = try #require(outcome.profile)
        #expect(profile.defaultAction == "SCMP_ACT_ERRNO")
        #expect(profile.defaultErrnoRet == 38)
        #expect(profile.architectures == ["SCMP_ARCH_X86_64"])
        #expect(profile.flags == ["SECCOMP_FILTER_FLAG_LOG"])
        #expect(profile.additional["archMap"] == .array([.integer(1)]))
        #expect(profile.syscalls?[0].errnoRet == 1)
        #expect(profile.syscalls?[1].additional["comment"] == .string("kept"))
    }

    /// The agent lets the kernel do what it does not answer: it must never get a call that
    /// the profile does not allow.
    @Test(arguments: [
        #"{"defaultAction":"SCMP_ACT_ERRNO"}"#,
        #"{"defaultAction":"SCMP_ACT_LOG","syscalls":[]}"#,
        #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["sysinfo"],"action":"SCMP_ACT_ERRNO"}]}"#,
        #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["x"],"action":"SCMP_ACT_ALLOW"},{"names":["sysinfo"],"action":"SCMP_ACT_KILL"},{"names":["sysinfo"],"action":"SCMP_ACT_ALLOW"}]}"#,
        #"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["sysinfo"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":0,"op":"SCMP_CMP_NE"}]}]}"#,
        #"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["sysinfo"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}}]}"#,
    ])
    func whatIsNotPlainlyAllowedStaysAsItIs(_ json: String) throws {
        let outcome = try apply(json)
        #expect(outcome.profile == nil)
        #expect(outcome.objections.count == 1)
        #expect(outcome.objections.first?.hasPrefix("sysinfo: ") == true)
    }

    @Test func anotherAgentIsLeftAlone() throws {
        let outcome = try apply(
            """
            {"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/run/other.sock",
             "syscalls":[{"names":["mount"],"action":"SCMP_ACT_NOTIFY"}]}
            """)
        #expect(outcome.profile == nil)
        #expect(outcome.objections.first?.contains("/run/other.sock") == true)
    }

    /// The rules of a profile are for the agent that its author had in mind, also where the runtime
    /// has the path of that one from elsewhere, or refuses the profile without one.
    @Test(arguments: [
        #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mount"],"action":"SCMP_ACT_NOTIFY"}]}"#,
        #"{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"","syscalls":[{"names":["mount"],"action":"SCMP_ACT_NOTIFY"}]}"#,
        #"{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":null,"syscalls":[{"names":["sysinfo"],"action":"SCMP_ACT_NOTIFY"}]}"#,
        #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["sysinfo"],"action":"SCMP_ACT_ALLOW"},{"names":["no_such_call"],"action":"SCMP_ACT_NOTIFY"}]}"#,
        #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mount"],"action":"SCMP_ACT_NOTIFY","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}]}"#,
        #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":[],"action":"SCMP_ACT_NOTIFY"}]}"#,
        #"{"defaultAction":"SCMP_ACT_NOTIFY","syscalls":[{"names":["sysinfo"],"action":"SCMP_ACT_ALLOW"}]}"#,
        #"{"defaultAction":"SCMP_ACT_ALLOW","listenerMetadata":"theirs"}"#,
        #"{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}"#,
        #"{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_TSYNC"]}"#,
        #"{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_OF_TOMORROW"]}"#,
        // runc's parser takes these for what they look like.
        #"{"defaultAction":"SCMP_ACT_ALLOW","ListenerPath":"/run/other.sock"}"#,
        #"{"defaultAction":"SCMP_ACT_ALLOW","Syscalls":[{"names":["sysinfo"],"action":"SCMP_ACT_ERRNO"}]}"#,
        #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"Names":["sysinfo"],"action":"SCMP_ACT_ERRNO"}]}"#,
    ])
    func whatIsForAnotherAgentIsNotTakenOver(_ json: String) throws {
        let outcome = try apply(json)
        #expect(outcome.profile == nil)
        #expect(outcome.objections.count == 1)
    }

    /// What becomes of the call otherwise, by whichever rule and on whichever architecture.
    @Test(arguments: [
        "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP",
        "SCMP_ACT_ERRNO", "SCMP_ACT_TRACE", "SCMP_ACT_LOG", "SCMP_ACT_OF_TOMORROW", "",
        "scmp_act_allow",
    ])
    func onlyWhatIsAllowedIsIntercepted(_ action: String) throws {
        for json in [
            #"{"defaultAction":"\#(action)"}"#,
            #"{"defaultAction":"\#(action)","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}"#,
            #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read","sysinfo"],"action":"\#(action)"}]}"#,
            #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["sysinfo"],"action":"SCMP_ACT_ALLOW"},{"names":["sysinfo"],"action":"\#(action)"}]}"#,
            #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["sysinfo"],"action":"\#(action)","errnoRet":38,"args":[{"index":0,"value":7,"op":"SCMP_CMP_EQ"}]}]}"#,
            #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"name":"sysinfo","action":"\#(action)"}]}"#,
        ] {
            let outcome = try apply(json)
            #expect(outcome.profile == nil, "\(json)")
            #expect(outcome.objections.count == 1, "\(json)")
        }
    }

    @Test(arguments: [
        #"{"names":["sysinfo"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":0,"op":"SCMP_CMP_GE"}]}"#,
        #"{"names":["sysinfo"],"action":"SCMP_ACT_ALLOW","excludes":{"caps":["CAP_SYS_ADMIN"]}}"#,
        #"{"names":["sysinfo"],"action":"SCMP_ACT_ALLOW","includes":["CAP_SYS_ADMIN"]}"#,
        // crun refuses it, and is to refuse it still.
        #"{"names":["sysinfo"],"action":"SCMP_ACT_ALLOW","errnoRet":1}"#,
        #"{"names":[],"name":"sysinfo","action":"SCMP_ACT_ALLOW"}"#,
    ])
    func whatIsAllowedInPartStaysAsItIs(_ rule: String) throws {
        for rules in [rule, #"{"names":["sysinfo"],"action":"SCMP_ACT_ALLOW"},\#(rule)"#] {
            let outcome = try apply(
                #"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[\#(rules)]}"#)
            #expect(outcome.profile == nil, "\(rules)")
            #expect(outcome.objections.count == 1, "\(rules)")
        }
    }

    /// The kernel has its say about architectures that are not listed, before any rule.
    @Test func architecturesAndFlagsStay() throws {
        for list in [nil, [], ["SCMP_ARCH_X86_64"], ["SCMP_ARCH_X32", "SCMP_ARCH_S390"]] {
            var profile = Seccomp()
            profile.defaultAction = "SCMP_ACT_ALLOW"
            profile.architectures = list
            profile.flags = ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]
            let outcome = Interception(listenerPath: socket, calls: ["sysinfo"])
                .applied(to: profile)
            let changed = try #require(outcome.profile)
            #expect(changed.architectures == list)
            #expect(changed.flags == profile.flags)
        }
    }

    /// A profile that was written for our agent may have rules of its own, and its own metadata.
    @Test func whatIsForOurAgentIsCompleted() throws {
        let outcome = try apply(
            #"""
            {"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"\#(socket)","listenerMetadata":"mine",
             "flags":["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
             "syscalls":[{"names":["sysinfo"],"action":"SCMP_ACT_NOTIFY"}]}
            """#, ["sysinfo", "sched_getaffinity"])
        #expect(
            rules(outcome) == ["sysinfo SCMP_ACT_NOTIFY", "sched_getaffinity SCMP_ACT_NOTIFY"])
        #expect(outcome.profile?.listenerMetadata == "mine")
    }

    @Test func annotationsOfCrunNameAnotherAgent() {
        for name in [
            "run.oci.seccomp.receiver", "run.oci.seccomp.plugins", "run.oci.seccomp_bpf_data",
            "run.oci.seccomp_bpf_file",
        ] {
            let objection = ForeignAgent.objection(annotations: [name: ""], receiver: nil)
            #expect(objection?.contains(name) == true)
        }
        #expect(ForeignAgent.objection(annotations: [:], receiver: "/run/x.sock") != nil)
        #expect(
            ForeignAgent.objection(
                annotations: [
                    "run.oci.seccomp_fail_unknown_syscall": "1", "run.oci.handler": "krun",
                ], receiver: nil) == nil)
    }

    @Test func twiceIsOnce() throws {
        let once = try #require(try apply(nil, ["sysinfo"]).profile)
        let interception = Interception(listenerPath: socket, calls: ["sysinfo"])
        #expect(interception.applied(to: once) == Interception.Outcome())
        let more = Interception(
            listenerPath: socket, calls: ["sysinfo", "sched_getaffinity"]
        ).applied(to: once)
        #expect(
            rules(more) == [
                "sysinfo SCMP_ACT_NOTIFY", "sched_getaffinity SCMP_ACT_NOTIFY",
            ])
    }

    @Test func oneCallMayBeForbiddenAndTheOtherNot() throws {
        let outcome = try apply(
            """
            {"defaultAction":"SCMP_ACT_ALLOW",
             "syscalls":[{"names":["sched_getaffinity"],"action":"SCMP_ACT_ERRNO"}]}
            """, ["sysinfo", "sched_getaffinity"])
        #expect(
            rules(outcome) == ["sched_getaffinity SCMP_ACT_ERRNO", "sysinfo SCMP_ACT_NOTIFY"])
        #expect(outcome.objections == ["sched_getaffinity: a rule says SCMP_ACT_ERRNO"])
    }

    @Test func commandLine() throws {
        let precreate = try Arguments(["precreate", "--sysinfo", "--affinity"])
        #expect(precreate.command == .precreate)
        #expect(precreate.options.intercepted == [.sysinfo, .affinity])
        let other = try Arguments(
            ["precreate", "--no-sysinfo", "--time", "--runtime", "crun", "--lxcfs-root", "/x"])
        #expect(other.options.withholdsSysinfo && other.options.wantsTime)
        #expect(other.options.runtime == "crun")
        let profile = try Arguments(["seccomp-profile", "--base", "/x.json", "--affinity"])
        #expect(profile.command == .seccompProfile(base: "/x.json"))
        for words in [
            ["createRuntime", "--time"], ["seccomp-profile", "--no-sysinfo"],
            ["auto", "--runtime", "crun"], ["precreate", "--runtime", "bin/crun"],
            ["precreate", "--sysinfo", "--no-sysinfo"], ["precreate", "--time=1"],
            ["createRuntime", "--sysinfo"], ["check", "--affinity"], ["precreate", "--base=x"],
            ["precreate", "--sysinfo", "--lxcfs-root", "/var/lib/lxcfs"],
        ] {
            #expect(throws: UsageError.self) { try Arguments(words) }
        }
    }
}
