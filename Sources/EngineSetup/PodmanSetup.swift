import JSON
import LxcfsHook
import OCISpec

/// podman: hook files in a directory that it is told of (containers.conf(5), oci-hooks(5)).
struct PodmanSetup: EngineConfiguration {
    private static let files = ["/usr/share/containers/containers.conf", usual]
    private static let usual = "/etc/containers/containers.conf"
    private static let directory = "/etc/containers/containers.conf.d"
    static let own = directory + "/lxcfs-hook.conf"
    /// Where podman looks if nobody tells it otherwise.
    private static let standard = [
        "/usr/share/containers/oci/hooks.d", "/etc/containers/oci/hooks.d",
    ]
    /// The names of the files that `make install` puts into other directories: of files of one name
    /// podman runs the last only, so no hook runs twice.
    static let hooks = [
        "50-lxcfs-hook-annotated.json", "50-lxcfs-hook-sysinfo-annotated.json",
    ]

    var restart: (verb: String, unit: String)? { nil }
    var restartNote: String { "podman needs no restart" }

    func installation(
        _ request: SetupRequest, _ root: Root
    ) throws(SetupError) -> SetupPlan {
        let program = Places.hook(request)
        var plan = SetupPlan(notes: Places.missing(program, root, "podman goes on without it"))
        var directories = Self.standard
        for path in try confFiles(root, main: request.config ?? Self.usual)
        where path != Self.own {
            guard let set = try Self.hookDirectories(path, root) else { continue }
            if path > Self.own, path.hasPrefix(Self.directory) {
                throw SetupError(
                    """
                    \(root.path)\(path) sets hooks_dir after \(Self.own) would: add \
                    \(HookDirectories.own) there
                    """)
            }
            directories = set
        }
        directories.removeAll { $0 == HookDirectories.own }
        directories.append(HookDirectories.own)
        let before = try root.read(Self.own)
        let text =
            "\(OwnLines.mark)\n"
            + TOMLLines.table(
                ["engine"], ["hooks_dir": .array(directories.map(JSONValue.string))])
        _ = try TOMLText.parse(Array(text.utf8), path: Self.own)
        var isForAll = request.setsDefault
        for name in Self.hooks {
            guard let bytes = try root.read("\(HookDirectories.own)/\(name)") else { continue }
            let file = try? HookFile(json: bytes, name: name)
            if file?.when.always == true { isForAll = true }
        }
        for (name, stages) in zip(Self.hooks, [["createRuntime", "poststop"], ["precreate"]]) {
            let path = "\(HookDirectories.own)/\(name)"
            plan.changes.append(
                FileChange(
                    path: path, before: try root.read(path),
                    after: Self.hook(program, stages, isForAll: isForAll)))
        }
        plan.changes.append(
            FileChange(path: Self.own, before: before, after: Array(text.utf8)))
        return plan
    }

    private func confFiles(
        _ root: Root, main: String = usual
    ) throws(SetupError) -> [String] {
        let names = try root.names(in: Self.directory).filter { $0.hasSuffix(".conf") }
        return [Self.files[0], main] + names.map { "\(Self.directory)/\($0)" }
    }

    private static func hookDirectories(
        _ path: String, _ root: Root
    ) throws(SetupError) -> [String]? {
        guard let bytes = try root.read(path) else { return nil }
        let value = JSONValue.object(try TOMLText.parse(bytes, path: root.path + path))
        return value.at(["engine", "hooks_dir"])?.strings
    }

    /// The same as the files in hooks.d of this repository.
    private static func hook(_ program: String, _ stages: [String], isForAll: Bool) -> [UInt8] {
        let when: JSONObject =
            isForAll
            ? ["always": .bool(true)]
            : [
                "annotations": .object([
                    #"^io\.lxcfs-hook\.(enable|sysinfo|affinity|time)$"#:
                        .string("^(true|1|yes|on)$")
                ])
            ]
        let command = stages == ["precreate"] ? "precreate" : "auto"
        let value = JSONValue.object([
            "version": .string("1.0.0"),
            "hook": .object([
                "path": .string(program),
                "args": .array([.string("lxcfs-hook"), .string(command)]),
                "env": .array([
                    .string("PATH=/usr/sbin:/usr/bin:/sbin:/bin"),
                    .string("SWIFT_BACKTRACE=enable=no"),
                ]),
                "timeout": .integer(10),
            ]),
            "when": .object(when),
            "stages": .array(stages.map(JSONValue.string)),
        ])
        return value.encoded(pretty: true) + [UInt8(ascii: "\n")]
    }

    func withoutOurs(
        _ current: [UInt8], path: String, original: [UInt8]?
    ) throws(SetupError) -> [UInt8]? { nil }

    func findings(_ root: Root) -> [Finding] {
        guard Places.has(["podman"], root) else { return [] }
        let install = "lxcfs-hook install podman --set-default"
        do {
            var directories = Self.standard
            for path in try confFiles(root) {
                directories = try Self.hookDirectories(path, root) ?? directories
            }
            // Of files of one name the last counts.
            var hooks: [String: HookFile] = [:]
            for directory in directories {
                for name in try root.names(in: directory) where name.hasSuffix(".json") {
                    guard let bytes = try root.read("\(directory)/\(name)") else { continue }
                    hooks[name] = try? HookFile(json: bytes, name: name)
                }
            }
            let own = hooks.values.filter {
                $0.hook.path.hasSuffix("/lxcfs-hook") && $0.stages != ["precreate"]
            }
            if own.contains(where: { $0.when.always == true }) {
                return [.ok("podman: new containers of root are served")]
            }
            if own.isEmpty { return [.warn("podman: new containers see the host", install)] }
            return [
                .ok(
                    """
                    podman: new containers of root with --annotation io.lxcfs-hook.enable=true \
                    are served; all: \(install)
                    """)
            ]
        } catch {
            return [.fail("podman: \(error)")]
        }
    }
}
