import JSON
import OCISpec

/// Adds to a seccomp profile what makes the kernel hand system calls over to lxcfsd's agent: a
/// rule with `SCMP_ACT_NOTIFY`, and the agent's socket for the runtime.
///
/// A profile never allows more afterwards than before. The agent has the kernel carry out the
/// calls that it does not answer, so a call that the profile forbids is not intercepted.
struct Interception: Equatable {
    /// The socket of the agent.
    let listenerPath: String
    /// System calls by name.
    let calls: [String]

    /// What the runtime tells the agent besides the container's state.
    static let metadata = "lxcfs-hook"

    private static let notify = ForeignAgent.notify
    private static let allow = "SCMP_ACT_ALLOW"

    struct Outcome: Equatable {
        /// The changed profile; nil if nothing is to be changed.
        var profile: Seccomp?
        /// Why calls are not intercepted, one reason each.
        var objections: [String] = []
    }

    /// - Parameter profile: nil if there is none: everything is allowed.
    func applied(to profile: Seccomp?) -> Outcome {
        var changed = profile ?? Self.everythingAllowed
        if let reason = ForeignAgent.objection(to: changed, ours: listenerPath) {
            return Outcome(objections: [reason])
        }
        var outcome = Outcome()
        var added: [String] = []
        for call in calls {
            switch Self.standing(of: call, in: changed) {
            case .intercepted: break
            case .allowed: added.append(call)
            case .objection(let reason): outcome.objections.append("\(call): \(reason)")
            }
        }
        guard !added.isEmpty else { return outcome }
        // Of two rules for one call libseccomp takes the first: the calls have to leave the
        // rules that they are in.
        changed.syscalls = (changed.syscalls ?? []).compactMap { rule in
            guard rule.names.contains(where: added.contains) else { return rule }
            var rest = rule
            rest.names.removeAll(where: added.contains)
            return rest.names.isEmpty ? nil : rest
        }
        var rule = Seccomp.Syscall()
        rule.names = added
        rule.action = Self.notify
        changed.syscalls?.append(rule)
        // What the author of a profile has told our agent stays.
        if changed.listenerPath != listenerPath { changed.listenerMetadata = Self.metadata }
        changed.listenerPath = listenerPath
        outcome.profile = changed
        return outcome
    }

    /// Allows again, without an agent, what an interception has taken over.
    static func withdraw(from profile: inout Seccomp) {
        profile.listenerPath = nil
        if profile.listenerMetadata == metadata { profile.listenerMetadata = nil }
        profile.syscalls = profile.syscalls?.map { rule in
            guard rule.action == notify else { return rule }
            var allowed = rule
            allowed.action = allow
            return allowed
        }
    }

    private enum Standing {
        case allowed
        case intercepted
        case objection(String)
    }

    private static func standing(of call: String, in profile: Seccomp) -> Standing {
        let rules = (profile.syscalls ?? []).filter { $0.isAbout(call) }
        if rules.isEmpty {
            return profile.defaultAction == allow
                ? .allowed : .objection("the default action is \(profile.defaultAction)")
        }
        for rule in rules {
            if rule.action == notify { return .intercepted }
            if rule.action != allow { return .objection("a rule says \(rule.action)") }
            if rule.isConditional { return .objection("a rule has conditions") }
            // Some runtimes refuse this, and are to refuse it still.
            if rule.errnoRet != nil { return .objection("a rule that allows has an errno") }
            if !rule.names.contains(call) { return .objection("a rule has the key name") }
        }
        return .allowed
    }

    private static var everythingAllowed: Seccomp {
        var profile = Seccomp()
        profile.defaultAction = allow
        // The kernel kills a process that calls by an architecture that is not listed.
        profile.architectures = architectures
        return profile
    }

    /// The architectures whose programs this machine can run.
    private static var architectures: [String] {
        #if arch(x86_64)
            ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
        #elseif arch(arm64)
            ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
        #elseif arch(powerpc64le)
            ["SCMP_ARCH_PPC64LE"]
        #elseif arch(s390x)
            ["SCMP_ARCH_S390X", "SCMP_ARCH_S390"]
        #elseif arch(riscv64)
            ["SCMP_ARCH_RISCV64"]
        #endif
    }
}

extension Seccomp.Syscall {
    /// Older profiles of docker name one call, by another key.
    fileprivate func isAbout(_ call: String) -> Bool {
        names.contains(call) || additional["name"] == .string(call)
    }

    /// Whether the rule holds only for some arguments, or (in profiles of docker and podman)
    /// only for some capabilities, architectures or kernels.
    fileprivate var isConditional: Bool {
        if !(args ?? []).isEmpty { return true }
        return ["includes", "excludes"].contains { key in
            switch additional[key] {
            case nil, .null: false
            case .object(let conditions): !conditions.isEmpty
            // Nobody knows what it means.
            default: true
            }
        }
    }
}
