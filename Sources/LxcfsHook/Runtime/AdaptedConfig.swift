import Control
import Glibc
import JSON
import OCISpec

/// A container's config.json as `lxcfs-runtime` has the real runtime read it.
struct AdaptedConfig {
    let options: Options
    let containers: RuntimeConfiguration.Containers
    let hook: HookEntries
    let runtime: RuntimeChoice
    let log: Log

    /// - Parameter json: as it is in the bundle.
    /// - Returns: nil if nothing is to be changed.
    /// - Throws: why it is to be left as it is: `DocumentError`, `PrecreateError`, `JSONFault`.
    func make(from json: [UInt8]) throws -> [UInt8]? {
        let (text, found) = try Self.parse(json)
        var config = found
        let place = hook.created(in: config.hooks)
        let mark = AddedMark(
            environment: place.flatMap { config.hooks?[keyPath: $0.list]?[$0.index].env })
        mark.remove(from: &config, agentSocket: agentSocket)
        let isOver = mark != AddedMark()
        if try isServed(config) {
            guard access(hook.path, X_OK) == 0 else {
                throw PrecreateError(
                    "the hook \(hook.path) cannot be run: \(errnoText); install it, or name it")
            }
            let added = try CreationChanges(
                options: options, wishes: options.wishes(config.annotations), runtime: runtime,
                log: log
            ).apply(to: &config)
            var new = AddedMark()
            new.hasAgent = added.calls
            if added.time { new.boottime = config.linux?.timeOffsets?["boottime"] }
            hook.add(to: &config, mark: isOver || new != AddedMark() ? new : nil)
        } else if isOver, let place {
            let old = config.hooks?[keyPath: place.list]?[place.index].env ?? []
            config.hooks?[keyPath: place.list]?[place.index].env = AddedMark().added(to: old)
        }
        guard let change = try ConfigChange.from(found, to: config) else { return nil }
        return try text.changed(change)
    }

    private var errnoText: String { String(cString: strerror(errno)) }

    private var agentSocket: String? {
        guard case .daemon(let directory) = options.origin else { return nil }
        return Defaults.seccompSocket(in: directory)
    }

    private func isServed(_ config: Config) throws(PrecreateError) -> Bool {
        let wishes = options.wishes(config.annotations)
        if containers == .annotated, wishes.isEnabled != true {
            log.debug("left alone: it does not ask for it")
            return false
        }
        let objection = Policy.objection(
            config, wishes: wishes, options: options,
            sharesMountNamespace: NamespacePath.isOurs(.mount, config),
            sharesPIDNamespace: NamespacePath.isOurs(.pid, config))
        if let objection {
            log.info("left alone: \(objection)")
            return false
        }
        for fault in wishes.faults { log.log(options.faultLevel, fault) }
        if options.isRequired, let fault = wishes.faults.first { throw PrecreateError(fault) }
        return true
    }

    /// What is encoded again as a whole is read with all that is in it.
    static func parse(_ json: [UInt8]) throws -> (JSONText, Config) {
        let text: JSONText
        do throws(JSONFault) {
            text = try JSONText(json, keepsUnknown: false)
        } catch {
            throw DocumentError(document: Config.documentName, error)
        }
        var config = try Config(text: text)
        let root = try text.root.members()
        try refuseTwins(of: ["annotations", "hooks", "linux"], in: root)
        if let hooks = root["hooks"], !hooks.isNull {
            try refuseTwins(of: ["createRuntime", "poststop", "prestart"], in: hooks.members())
        }
        guard let linux = root["linux"], !linux.isNull else { return (text, config) }
        let members = try linux.members()
        try refuseTwins(of: ["namespaces", "seccomp", "timeOffsets"], in: members)
        if let seccomp = members["seccomp"], !seccomp.isNull {
            config.linux?.seccomp = try Seccomp(json: seccomp.source)
        }
        return (text, config)
    }

    /// runc takes keys that differ only in case for the same, and the last one for the whole: what
    /// is added could take the place of another entry.
    private static func refuseTwins(
        of keys: [String], in members: JSONMembers
    ) throws(PrecreateError) {
        for (key, _) in members where !keys.contains(key) {
            let lowercased = key.lowercased()
            if let twin = keys.first(where: { $0.lowercased() == lowercased }) {
                throw PrecreateError("config.json has \(key.debugDescription) for \(twin)")
            }
        }
    }
}
