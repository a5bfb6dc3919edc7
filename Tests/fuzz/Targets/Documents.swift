import Cgroups
import KernelText
import OCISpec

@testable import LxcfsHook

/// A document that is understood says the same when it is written and read again, and what is
/// written does not change any more.
private func roundTrip<Value: Document>(_ type: Value.Type, _ input: Bytes) -> Value? {
    let document: Value
    do {
        document = try Value(json: Array(input))
    } catch {
        require(!error.description.contains("\n"), "an error of several lines")
        require(
            (try? Value(json: Array(input), keepsUnknown: false)) == nil,
            "refused only as a whole")
        return nil
    }
    require(
        (try? Value(json: Array(input), keepsUnknown: false)) != nil,
        "refused only in part")
    do {
        for pretty in [false, true] {
            let written = try document.encoded(pretty: pretty)
            let again = try Value(json: written)
            require(again == document, "\(Value.documentName) changes when it is written")
            require(try again.encoded(pretty: pretty) == written, "unstable order")
        }
    } catch {
        fatalError("what was read cannot be written: \(error)")
    }
    return document
}

@Sendable func fuzzState(_ input: Bytes) {
    guard let state = roundTrip(State.self, input) else { return }
    if let id = try? StateCheck.id(state) {
        require(!id.isEmpty && !id.contains("/") && id != "..", "an id leads elsewhere")
        require(id.utf8.count <= 255 && !id.utf8.contains(0), "an id is no file name")
    }
    if let pid = try? StateCheck.pid(state) { require(pid > 0, "pid") }
    if let bundle = try? StateCheck.bundle(state) {
        require(bundle.hasPrefix("/"), "a relative bundle")
    }
    _ = StateCheck.stage(state.status)
    _ = roundTrip(ContainerProcessState.self, input)
}

@Sendable func fuzzConfig(_ input: Bytes) {
    guard let config = roundTrip(Config.self, input) else { return }
    for target in VirtualFile.allCases.targets(disks: { [] }) {
        let isCovered = config.mountCovers(target.path)
        require(!isCovered || config.mounts?.isEmpty == false, "covered by nothing")
    }
    _ = config.isProcUnmasked
    let wishes = ContainerWishes(config.annotations ?? [:])
    require(wishes.files.map { !$0.isEmpty } ?? true, "an empty list of files")
    if let policy = try? Policy(
        config: config, bundle: "/b", sharesMountNamespace: false, sharesPIDNamespace: false,
        disks: { [] }, options: Options())
    {
        if case .attach(let plan) = policy.decision {
            require(!plan.targets.isEmpty, "a plan without targets")
            require(config.namespace(.mount) != nil, "attaches without a namespace")
            require(
                config.namespace(.pid) != nil || wishes.attachesHostPID == true,
                "attaches in the host's pid namespace")
        }
    }
    intercept(config.linux?.seccomp)
}

@Sendable func fuzzSeccomp(_ input: Bytes) {
    intercept(roundTrip(Seccomp.self, input))
}

/// Applied twice is applied once, and no rule but those about the calls is touched.
private func intercept(_ profile: Seccomp?) {
    let calls = ["sysinfo", "sched_getaffinity"]
    let interception = Interception(listenerPath: "/run/x.sock", calls: calls)
    guard let changed = interception.applied(to: profile).profile else { return }
    let again = interception.applied(to: changed)
    require(again.profile == nil, "an interception that has no end")
    require(changed.listenerPath == "/run/x.sock", "another listener")
    let isForOthers =
        profile.map { profile in
            profile.listenerPath != "/run/x.sock"
                && (profile.defaultAction == "SCMP_ACT_NOTIFY"
                    || (profile.syscalls ?? []).contains { $0.action == "SCMP_ACT_NOTIFY" })
        } ?? false
    require(!isForOthers, "another agent's profile")
    func others(_ profile: Seccomp?) -> [String] {
        (profile?.syscalls ?? []).flatMap { rule in
            rule.names.filter { !calls.contains($0) }.map { "\(rule.action) \($0)" }
        }
    }
    require(others(changed) == others(profile), "other calls are treated differently")
}

@Sendable func fuzzHookFile(_ input: Bytes) {
    guard let file = roundTrip(HookFile.self, input) else { return }
    require(file.hook.path.hasPrefix("/"), "a relative hook")
    require(!file.stages.isEmpty && file.version == HookFile.version, "an incomplete file")
    _ = try? Arguments(Array((file.hook.args ?? []).dropFirst()))
}

@Sendable func fuzzPolicy(_ input: Bytes) {
    // From the hook to itself.
    if let message = WatchMessage(Array(input)) {
        require(WatchMessage(message.bytes) == message, "a message changes on the way")
    }
    guard let policy = try? AdministratorPolicy(json: Array(input)) else { return }
    var options = Options()
    options.isRequired = policy.required ?? false
    options.allowedAnnotations = policy.annotations
    let all = Dictionary(uniqueKeysWithValues: ContainerWishes.names.map { ($0, "false") })
    let wishes = options.wishes(all)
    let allowed = Set(policy.annotations ?? ContainerWishes.names)
    require(allowed.isSubset(of: ContainerWishes.names), "an annotation that means nothing")
    if policy.required == true {
        require(
            wishes.isEnabled != false || policy.annotations != nil, "what is required is undone"
        )
    }
    let optsOut = allowed.contains(ContainerWishes.prefix + "enable")
    require(optsOut || wishes.isEnabled != false, "an annotation counts that is not listed")
}
