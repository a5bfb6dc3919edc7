import JSON
import OCISpec

/// Signs that system calls of a container are meant for an agent other than ours.
///
/// Such a container is left alone. What its agent would have refused, ours would let the kernel
/// carry out; and a container that does not start because its agent is not named would start.
enum ForeignAgent {
    /// How crun is told where the descriptor goes, or of a filter that is not made from the
    /// profile (crun(1)). `RUN_OCI_SECCOMP_RECEIVER` does the same from the environment.
    private static let annotationPrefix = "run.oci.seccomp"
    /// Only says what becomes of names that nobody knows.
    private static let harmlessAnnotation = "run.oci.seccomp_fail_unknown_syscall"
    static let receiverVariable = "RUN_OCI_SECCOMP_RECEIVER"

    /// Flags that do not change what becomes of a call. Of the others, `WAIT_KILLABLE_RECV` is only
    /// for profiles that have an agent, and with `TSYNC` the kernel takes no agent.
    private static let plainFlags = [
        "", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    ]

    static let notify = "SCMP_ACT_NOTIFY"

    /// Why the profile is not to be changed; nil if nothing speaks against it.
    ///
    /// - Parameter ours: the path of our agent's socket.
    static func objection(to profile: Seccomp, ours: String) -> String? {
        if let key = profile.ambiguousKey {
            return "runtimes that take no notice of case read \"\(key)\" as another key"
        }
        let path = profile.listenerPath ?? ""
        if path == ours { return nil }
        if !path.isEmpty { return "its calls are already answered by the agent at \(path)" }
        if profile.defaultAction == notify
            || (profile.syscalls ?? []).contains(where: { $0.action == notify })
        {
            return "it has rules with \(notify), which are for an agent that it does not name"
        }
        if let metadata = profile.listenerMetadata, !metadata.isEmpty {
            return "its listenerMetadata is for an agent that it does not name"
        }
        if let flag = (profile.flags ?? []).first(where: { !plainFlags.contains($0) }) {
            return "it has the flag \(flag)"
        }
        return nil
    }

    /// Why the profile may be another one than that which is looked at; nil if it is none.
    static func objection(toKeysOf config: Config) -> String? {
        let key =
            Seccomp.twin(of: ["linux", "annotations"], in: config.additional)
            ?? config.linux.flatMap { Seccomp.twin(of: ["seccomp"], in: $0.additional) }
        return key.map { "runtimes that take no notice of case read \"\($0)\" as another key" }
    }

    /// Why the calls of the container are not to be intercepted, whatever its profile says.
    ///
    /// - Parameter receiver: the value of ``receiverVariable``, nil if it is not set.
    static func objection(annotations: [String: String], receiver: String?) -> String? {
        let found = annotations.keys.sorted().first {
            $0.hasPrefix(annotationPrefix) && $0 != harmlessAnnotation
        }
        if let found { return "the annotation \(found) gives its calls to another agent" }
        if receiver != nil { return "\(receiverVariable) gives its calls to another agent" }
        return nil
    }
}

extension Seccomp {
    /// A key that runc, whose parser takes no notice of upper and lower case, reads as one that is
    /// looked at here.
    fileprivate var ambiguousKey: String? {
        let own = [
            "defaultAction", "defaultErrnoRet", "architectures", "flags", "listenerPath",
            "listenerMetadata", "syscalls",
        ]
        if let key = Self.twin(of: own, in: additional) { return key }
        for rule in syscalls ?? [] {
            let names = ["names", "action", "errnoRet", "args", "includes", "excludes"]
            if let key = Self.twin(of: names, in: rule.additional) { return key }
        }
        return nil
    }

    fileprivate static func twin(of keys: [String], in object: JSONObject) -> String? {
        object.keys.sorted().first { key in
            !keys.contains(key) && keys.contains { folded($0) == folded(key) }
        }
    }

    /// As Go's encoding/json compares names: without case, also where a letter of ASCII has another
    /// one for its pair (the Kelvin sign and the long s).
    private static func folded(_ key: String) -> String { key.lowercased().uppercased() }
}
