import JSON
import LxcfsHook

/// CRI-O: a runtime in a file of its own (crio.conf.d(5)).
struct CRIOConfiguration: EngineConfiguration {
    static let usual = "/etc/crio/crio.conf"
    private static let directory = "/etc/crio/crio.conf.d"
    /// Of several files that say the same, the last one counts.
    static let own = directory + "/99-lxcfs.conf"
    private static let name = Places.runtimeName
    private static let standard = ["crio", "runtime", "default_runtime"]
    private static let runtimes = ["crio", "runtime", "runtimes"]

    var restart: (verb: String, unit: String)? { ("try-restart", "crio.service") }
    var restartNote: String { "systemctl restart crio (containers go on running)" }

    func installation(
        _ request: SetupRequest, _ root: Root
    ) throws(SetupError) -> SetupPlan {
        let others = try value(root, main: request.config ?? Self.usual, withOwn: false)
        let before = try root.read(Self.own)
        let present = JSONValue.object(
            try TOMLText.parse(before ?? [], path: root.path + Self.own))
        let isDefault =
            request.setsDefault || present.at(Self.standard)?.string == Self.name
        let standard = others.at(Self.standard)?.string ?? "runc"
        let model = others.at(Self.runtimes + [standard]) ?? .object([:])
        let real = model.at(["runtime_path"])?.string ?? standard
        let program = Places.runtime(request, for: real, root)
        let table = model.with(.string(program), at: ["runtime_path"])
            .with(.string("oci"), at: ["runtime_type"])
        var text = "\(OwnLines.mark)\n"
        if isDefault {
            text += TOMLLines.table(
                ["crio", "runtime"], ["default_runtime": .string(Self.name)])
        }
        text += TOMLLines.table(Self.runtimes + [Self.name], table.object ?? [:])
        _ = try TOMLText.parse(Array(text.utf8), path: Self.own)
        return SetupPlan(
            changes: [FileChange(path: Self.own, before: before, after: Array(text.utf8))],
            notes: Places.missing(program, root) + Places.hidden(real, program))
    }

    func withoutOurs(
        _ current: [UInt8], path: String, original: [UInt8]?
    ) throws(SetupError) -> [UInt8]? { nil }

    /// What CRI-O makes of its files.
    private func value(
        _ root: Root, main: String = usual, withOwn: Bool
    ) throws(SetupError) -> JSONValue {
        var paths = [main]
        paths += try root.names(in: Self.directory).map { "\(Self.directory)/\($0)" }
        var value = JSONValue.object([:])
        for path in paths where withOwn || path != Self.own {
            guard let bytes = try root.read(path) else { continue }
            value = value.merged(
                with: .object(try TOMLText.parse(bytes, path: root.path + path)))
        }
        return value
    }

    func findings(_ root: Root) -> [Finding] {
        guard Places.has(["crio"], root) || root.hasFile(Self.usual) else { return [] }
        let install = "lxcfs-hook install crio --set-default --restart"
        let value: JSONValue
        do {
            value = try self.value(root, withOwn: true)
        } catch {
            return [.fail("CRI-O: \(error)")]
        }
        guard let program = value.at(Self.runtimes + [Self.name, "runtime_path"])?.string else {
            return [
                .warn(
                    """
                    CRI-O: new containers see the host, but for those that a hook file serves
                    """, install)
            ]
        }
        guard root.hasFile(program) else {
            return [
                .fail(
                    "CRI-O: the runtime \(program) is missing, no container starts with it",
                    "lxcfs-hook uninstall crio --restart, or install lxcfs-runtime")
            ]
        }
        guard value.at(Self.standard)?.string == Self.name else {
            return [
                .ok(
                    """
                    CRI-O: new containers of a RuntimeClass with the handler \(Self.name) are \
                    served; all: \(install)
                    """)
            ]
        }
        return [.ok("CRI-O: new containers are served")]
    }
}
