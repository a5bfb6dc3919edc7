import JSON
import LxcfsHook

/// containerd: a runtime handler of its CRI plugin, which starts containers for Kubernetes.
struct ContainerdConfiguration: EngineConfiguration {
    static let usual = "/etc/containerd/config.toml"
    private static let shim = "io.containerd.runc.v2"
    private static let annotations = "io.lxcfs-hook.*"
    private static let name = Places.runtimeName
    private static let standard = ["containerd", "default_runtime_name"]
    private static let runtimes = ["containerd", "runtimes"]

    var restart: (verb: String, unit: String)? { ("try-restart", "containerd.service") }
    var restartNote: String { "systemctl restart containerd (containers go on running)" }

    func installation(
        _ request: SetupRequest, _ root: Root
    ) throws(SetupError) -> SetupPlan {
        let path = request.config ?? Self.usual
        let files = try ContainerdFiles(path, in: root)
        let real = Self.real(files.section)
        let program = Places.runtime(request, for: real, root)
        var plan = SetupPlan(
            notes: Places.missing(program, root) + Places.hidden(real, program))
        if files.main.value.at(["disabled_plugins"])?.strings?.contains(where: {
            $0 == "cri" || $0 == "io.containerd.grpc.v1.cri"
        }) == true {
            plan.notes.append(
                """
                \(root.path)\(path) disables the CRI plugin, without which the handler is nobody's: \
                Kubernetes needs it; ctr and nerdctl take --runtime or --runc-binary instead
                """)
        }
        let isDefault =
            request.setsDefault || files.section.at(Self.standard)?.string == Self.name
        guard let file = files.place else {
            plan.changes = [try ownFile(files, program, isDefault, root)]
            return plan
        }
        let after = try changed(file, of: files, program, isDefault, root)
        plan.changes = [
            FileChange(
                path: file.path, before: try root.read(file.path), after: after)
        ]
        return plan
    }

    /// What containers are run with until now.
    private static func real(_ section: JSONValue) -> String? {
        guard let name = section.at(standard)?.string, name != Self.name else { return nil }
        return section.at(runtimes + [name, "options", "BinaryName"])?.string
    }

    // MARK: - Runtimes

    /// The tables that are added below `runtimes`.
    ///
    /// - Parameters:
    ///   - section: what containerd has without ours.
    ///   - present: our runtime as it stands there already.
    private func tables(
        _ section: JSONValue, present: JSONValue?, version: Int, _ program: String
    ) -> [(name: String, members: JSONObject)] {
        let runtimes = section.at(Self.runtimes)?.object ?? [:]
        var standard = section.at(Self.standard)?.string ?? "runc"
        if standard == Self.name { standard = "runc" }
        var model = (present ?? runtimes[standard])?.object ?? [:]
        // Another shim has other options.
        if let type = model["runtime_type"]?.string, type != Self.shim { model = [:] }
        var own = JSONValue.object(model)
            .with(.string(Self.shim), at: ["runtime_type"])
            .with(.string(program), at: ["options", "BinaryName"])
        if version >= 2 {
            let annotations = own.at(["pod_annotations"])?.strings ?? []
            if !annotations.contains(Self.annotations) {
                own = own.with(
                    .array((annotations + [Self.annotations]).map(JSONValue.string)),
                    at: ["pod_annotations"])
            }
        }
        var tables = [(Self.name, own.object ?? [:])]
        if version <= 2, runtimes.keys.allSatisfy({ $0 == Self.name }) {
            // In containerd 1, a table with one runtime takes the place of its own with runc.
            tables.insert((standard, ["runtime_type": .string(Self.shim)]), at: 0)
        }
        return tables
    }

    /// A file of ours in a directory that is imported.
    private func ownFile(
        _ files: ContainerdFiles, _ program: String, _ isDefault: Bool, _ root: Root
    ) throws(SetupError) -> FileChange {
        let version = max(files.main.version, 1)
        let section = ContainerdFiles.section(version)
        let path = files.ownPath ?? files.main.path
        let others = files.files.compactMap(\.section)
        let known =
            version >= 3
            ? others.reduce(JSONValue.object([:])) { $0.merged(with: $1) }
            : JSONValue.object([:])
        var text = "\(OwnLines.mark)\nversion = \(version)\n\n"
        if isDefault {
            text += TOMLLines.table(
                section + ["containerd"], ["default_runtime_name": .string(Self.name)])
        }
        let present = files.own?.section?.at(Self.runtimes + [Self.name])
        for table in tables(known, present: present, version: version, program) {
            text += TOMLLines.table(section + Self.runtimes + [table.name], table.members)
        }
        _ = try TOMLText.parse(Array(text.utf8), path: path)
        if let other = files.files.last(where: {
            $0.section?.at(Self.runtimes + [Self.name]) != nil
        }) {
            throw SetupError(Self.foreign(other.path, root))
        }
        return FileChange(
            path: path, before: try root.read(path), after: Array(text.utf8))
    }

    /// A file of somebody else's with our tables.
    private func changed(
        _ file: ContainerdFiles.File, of files: ContainerdFiles, _ program: String,
        _ isDefault: Bool, _ root: Root
    ) throws(SetupError) -> [UInt8] {
        let path = root.path + file.path
        var text = OwnLines.removed(from: file.bytes)
        var value = JSONValue.object(try TOMLText.parse(text, path: path))
        if value == .object([:]) {
            text += "version = 2\n".utf8
            value = .object(["version": .integer(2)])
        }
        var version = 1
        if case .integer(let number) = value.at(["version"]) { version = Int(clamping: number) }
        let section = ContainerdFiles.section(version)
        if let present = value.at(section + Self.runtimes + [Self.name]) {
            let isRight = present.at(["options", "BinaryName"])?.string == program
            let isDone = !isDefault || value.at(section + Self.standard)?.string == Self.name
            guard isRight, isDone else { throw SetupError(Self.foreign(file.path, root)) }
            return file.bytes
        }
        let known =
            version >= 3
            ? files.files.compactMap(\.section).reduce(JSONValue.object([:])) {
                $0.merged(with: $1)
            }
            : value.at(section) ?? .object([:])
        let present = file.section?.at(Self.runtimes + [Self.name])
        var lines = ""
        let needsDefault = isDefault && value.at(section + Self.standard)?.string != Self.name
        var wanted = value
        if needsDefault {
            wanted = wanted.with(.string(Self.name), at: section + Self.standard)
            if let set = TOMLKeys.set(
                section + Self.standard, to: Self.name, in: text, giving: wanted)
            {
                text = set
            } else {
                lines += TOMLLines.table(
                    section + ["containerd"], ["default_runtime_name": .string(Self.name)])
            }
        }
        for table in tables(known, present: present, version: version, program) {
            lines += TOMLLines.table(section + Self.runtimes + [table.name], table.members)
            wanted = wanted.with(
                JSONValue.object(table.members), at: section + Self.runtimes + [table.name])
        }
        text = OwnLines.appended(lines, to: text)
        let result: JSONValue?
        do {
            result = .object(try TOMLText.parse(text, path: path))
        } catch {
            result = nil
        }
        guard result == wanted else {
            throw SetupError(
                """
                \(path) is written in a way to which nothing can be added safely: left as it is; \
                add by hand:\n\(lines)
                """)
        }
        return text
    }

    private static func foreign(_ path: String, _ root: Root) -> String {
        """
        \(root.path)\(path) has a runtime \(name) that lxcfs-hook install has not made: left as it \
        is; remove it, or set its BinaryName and default_runtime_name by hand
        """
    }

    func withoutOurs(
        _ current: [UInt8], path: String, original: [UInt8]?
    ) throws(SetupError) -> [UInt8]? {
        if OwnLines.isOwnFile(current) { return nil }
        var text = OwnLines.removed(from: current)
        let value = JSONValue.object(try TOMLText.parse(text, path: path))
        var version = 1
        if case .integer(let number) = value.at(["version"]) { version = Int(clamping: number) }
        let standard = ContainerdFiles.section(version) + Self.standard
        if value.at(standard)?.string == Self.name {
            let before = JSONValue.object(try TOMLText.parse(original ?? [], path: path))
            let old = before.at(standard)?.string
            let wanted = value.with(old.map(JSONValue.string), at: standard)
            guard let set = TOMLKeys.set(standard, to: old, in: text, giving: wanted) else {
                throw SetupError(
                    "\(path): default_runtime_name is still \(Self.name): change it by hand")
            }
            text = set
        }
        if original == nil, value == .object(["version": .integer(2)]) { return nil }
        return text
    }

    // MARK: - Findings

    func findings(_ root: Root) -> [Finding] {
        guard Places.has(["containerd"], root) || root.hasFile(Self.usual) else { return [] }
        let install = "lxcfs-hook install containerd --set-default --restart"
        let section: JSONValue
        do {
            section = try ContainerdFiles(Self.usual, in: root).section
        } catch {
            return [.fail("containerd: \(error)")]
        }
        let handler = section.at(Self.runtimes + [Self.name, "options", "BinaryName"])
        guard let program = handler?.string else {
            return [.warn("containerd (CRI): new containers see the host", install)]
        }
        guard root.hasFile(program) else {
            return [
                .fail(
                    """
                    containerd: the runtime \(program) is missing, no container starts with it
                    """, "lxcfs-hook uninstall containerd --restart, or install lxcfs-runtime")
            ]
        }
        guard section.at(Self.standard)?.string == Self.name else {
            return [
                .ok(
                    """
                    containerd (CRI): new containers of a RuntimeClass with the handler \
                    \(Self.name) are served; all: \(install)
                    """)
            ]
        }
        return [.ok("containerd (CRI): new containers are served")]
    }
}
