import OCISpec

/// Decides what is done for a container, from documents alone.
///
/// The configuration may promise what is not so. `Attachment` does not rely on it, and looks at
/// what is really there.
struct Policy {
    /// What was decided.
    let decision: Decision
    /// What an administrator should know; with `--required` each is an error.
    let faults: [String]
    /// Annotations that the administrator does not have honoured.
    let ignored: [String]
    /// What was decided for single files, for debugging.
    let notes: [String]

    /// Why a container that asks for it is left alone.
    static let optOut = "annotation \(ContainerWishes.prefix)enable says so"

    /// - Parameters:
    ///   - sharesMountNamespace: whether the container's mount namespace is the hook's own,
    ///     whatever config.json says.
    ///   - sharesPIDNamespace: the same of its pid namespace.
    ///   - disks: see ``VirtualFile/disks``.
    /// - Throws: `InputError` if config.json lacks what every container has.
    init(
        config: Config, bundle: String, sharesMountNamespace: Bool, sharesPIDNamespace: Bool,
        disks: () -> [Target], options: Options
    ) throws(InputError) {
        let wishes = options.wishes(config.annotations)
        guard let rootfs = config.rootPath(bundle: bundle) else {
            throw InputError(description: "config.json: root: missing")
        }
        var notes: [String] = []
        var covered: [Target] = []
        let targets = Self.targets(
            (wishes.files ?? options.files).targets(disks: disks), config: config,
            notes: &notes,
            covered: &covered)

        let hidden =
            options.excuses.contains(.ownMounts)
            ? []
            : covered.map { "\($0): a mount of config.json covers it, against the policy" }
        faults = wishes.faults + hidden
        ignored = wishes.ignored
        self.notes = notes
        let objection = Self.objection(
            config, wishes: wishes, options: options,
            sharesMountNamespace: sharesMountNamespace, sharesPIDNamespace: sharesPIDNamespace)
        decision =
            if let objection {
                .skip(reason: objection)
            } else if targets.isEmpty {
                .skip(reason: "its config.json leaves none of the files to mount")
            } else {
                .attach(
                    Plan(
                        rootfs: rootfs, targets: targets, cpus: wishes.cpus ?? options.cpus,
                        rulesFilesystems: config.mayHave(Plan.rulingCapabilities)))
            }
    }

    /// Why a container is left alone, whatever files there are; nil if it is served. For the
    /// parameters see ``init(config:bundle:sharesMountNamespace:sharesPIDNamespace:options:)``.
    static func objection(
        _ config: Config, wishes: ContainerWishes, options: Options,
        sharesMountNamespace: Bool, sharesPIDNamespace: Bool
    ) -> String? {
        if wishes.isEnabled == false { return optOut }
        if config.namespace(.mount) == nil {
            return "config.json gives the container no mount namespace of its own"
        }
        if sharesMountNamespace { return "the container's mount namespace is the hook's own" }
        if config.namespace(.pid) == nil || sharesPIDNamespace,
            !(wishes.attachesHostPID ?? options.attachesHostPID)
        {
            return """
                it is in the host's pid namespace, so it looks at the host and not at itself; \
                see --host-pid
                """
        }
        if config.isProcUnmasked, !(wishes.attachesUnmasked ?? options.attachesUnmasked) {
            return """
                its /proc is unmasked, and mounts on it would keep it from mounting procfs in \
                nested containers; see --unmasked
                """
        }
        return nil
    }

    /// Whether `/proc/meminfo` of a container may be one of ours: mounted by the hook, or by the
    /// configuration itself, as with `docker -v`.
    static func mayShowMeminfo(
        _ config: Config, wishes: ContainerWishes, options: Options
    ) -> Bool {
        var notes: [String] = []
        var covered: [Target] = []
        let files = targets(
            (wishes.files ?? options.files).targets { [] }, config: config, notes: &notes,
            covered: &covered)
        return [VirtualFile.meminfo].targets { [] }.contains { target in
            files.contains(target) || config.mountCovers(target.path)
        }
    }

    private static func targets(
        _ targets: [Target], config: Config, notes: inout [String], covered: inout [Target]
    ) -> [Target] {
        let mounts = MountDestinations(config)
        return targets.filter { target in
            let mountpoint = target.filesystem.mountpoint
            if !mounts.include(mountpoint) {
                notes.append("\(target): config.json mounts nothing at \(mountpoint)")
                return false
            }
            if mounts.cover(target.path) {
                notes.append("\(target): a mount of config.json covers it")
                covered.append(target)
                return false
            }
            return true
        }
    }
}
