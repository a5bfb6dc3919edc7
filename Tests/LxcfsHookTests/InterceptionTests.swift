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
