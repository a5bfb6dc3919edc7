import JSON
import LxcfsHook

/// Docker: a runtime in `daemon.json` (dockerd(8)).
struct DockerConfiguration: EngineConfiguration {
    static let usual = "/etc/docker/daemon.json"
    private static let runtime = ["runtimes", Places.runtimeName]
    private static let standard = ["default-runtime"]

    var restart: (verb: String, unit: String)? { ("try-reload-or-restart", "docker.service") }
    var restartNote: String { "systemctl reload docker (containers go on running)" }

    func installation(
        _ request: SetupRequest, _ root: Root
    ) throws(SetupError) -> SetupPlan {
        let path = request.config ?? Self.usual
        let before = try root.read(path)
        var edit = try Self.edit(before, path: root.path + path)
        let old = try Self.value(edit, path)
        let real = Self.real(old)
        let program = Places.runtime(request, for: real, root)
        var plan = SetupPlan(
            notes: Places.missing(program, root) + Places.hidden(real, program))
        var wanted = old
        let place = Self.runtime + ["path"]
        if old.at(place)?.string != program {
            if let other = old.at(place)?.string {
                plan.notes.append("the runtime \(Places.runtimeName) was \(other)")
            }
            try Self.set(place, .string(program), &edit, path)
            wanted = wanted.with(.string(program), at: place)
        }
        if request.setsDefault, old.at(Self.standard)?.string != Places.runtimeName {
            try Self.set(Self.standard, .string(Places.runtimeName), &edit, path)
            wanted = wanted.with(.string(Places.runtimeName), at: Self.standard)
        }
        guard try Self.value(edit, path) == wanted else {
            throw SetupError("\(root.path)\(path): something else would change: left as it is")
        }
        try Self.refuseFlags(request, root)
        plan.changes = [FileChange(path: path, before: before, after: edit.bytes)]
        return plan
    }

    func withoutOurs(
        _ current: [UInt8], path: String, original: [UInt8]?
    ) throws(SetupError) -> [UInt8]? {
        var edit = try Self.edit(current, path: path)
        let value = try Self.value(edit, path)
        var before = JSONValue.object([:])
        if let original { before = try Self.value(Self.edit(original, path: path), path) }
        var paths = [Self.runtime]
        if value.at(Self.standard)?.string == Places.runtimeName { paths.append(Self.standard) }
        do throws(JSONFault) {
            for path in paths {
                if let was = before.at(path) {
                    try edit.set(path, to: was)
                } else {
                    try edit.remove(path)
                }
            }
            if before.at(["runtimes"]) == nil,
                try edit.value().at(["runtimes"]) == .object([:])
            {
                try edit.remove(["runtimes"])
            }
            if original == nil, try edit.value() == .object([:]) { return nil }
        } catch {
            throw SetupError("\(path): \(error): left as it is")
        }
        return edit.bytes
    }

    func findings(_ root: Root) -> [Finding] {
        guard Places.has(["dockerd"], root) || root.hasFile(Self.usual) else { return [] }
        let install = "lxcfs-hook install docker --set-default --restart"
        let value: JSONValue
        do {
            let edit = try Self.edit(try root.read(Self.usual), path: root.path + Self.usual)
            value = try Self.value(edit, Self.usual)
        } catch {
            return [.fail("docker: \(error)", "mend \(root.path)\(Self.usual)")]
        }
        guard let program = value.at(Self.runtime + ["path"])?.string else {
            return [.warn("docker: new containers see the host", install)]
        }
        guard root.hasFile(program) else {
            return [
                .fail(
                    "docker: the runtime \(program) is missing, no container starts with it",
                    "lxcfs-hook uninstall docker --restart, or install lxcfs-runtime")
            ]
        }
        guard value.at(Self.standard)?.string == Places.runtimeName else {
            return [
                .ok(
                    """
                    docker: new containers are served with docker run --runtime \
                    \(Places.runtimeName); all: \(install)
                    """)
            ]
        }
        return [.ok("docker: new containers are served")]
    }

    /// What containers are run with until now.
    private static func real(_ value: JSONValue) -> String? {
        guard let name = value.at(Self.standard)?.string, name != Places.runtimeName else {
            return nil
        }
        return value.at(["runtimes", name, "path"])?.string ?? name
    }

    // MARK: - JSON

    /// dockerd takes a file of white space for an empty one.
    private static func edit(_ bytes: [UInt8]?, path: String) throws(SetupError) -> JSONEdit {
        let isBlank = (bytes ?? []).allSatisfy { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        let text = isBlank ? Array("{}\n".utf8) : bytes ?? []
        do {
            return try JSONEdit(text)
        } catch {
            let place = JSONPlace(ofFaultIn: text).map {
                ", line \($0.line), column \($0.column)"
            }
            let comment = Self.hasComment(text) ? " (JSON has no comments)" : ""
            throw SetupError("\(path)\(place ?? ""): \(error)\(comment): left as it is")
        }
    }

    private static func hasComment(_ text: [UInt8]) -> Bool {
        text.split(separator: UInt8(ascii: "\n")).contains { line in
            let line = line.drop { $0 == 0x20 || $0 == 0x09 }
            return line.starts(with: "//".utf8) || line.starts(with: "#".utf8)
                || line.starts(with: "/*".utf8)
        }
    }

    private static func value(_ edit: JSONEdit, _ path: String) throws(SetupError) -> JSONValue
    {
        do {
            return try edit.value()
        } catch {
            throw SetupError("\(path): \(error): left as it is")
        }
    }

    private static func set(
        _ place: [String], _ value: JSONValue, _ edit: inout JSONEdit, _ path: String
    ) throws(SetupError) {
        do {
            try edit.set(place, to: value)
        } catch {
            throw SetupError("\(path): \(error): left as it is")
        }
    }

    // MARK: - Flags

    /// dockerd does not start if an option is both in the file and on its command line.
    private static func refuseFlags(
        _ request: SetupRequest, _ root: Root
    ) throws(SetupError) {
        let flags = ["--add-runtime"] + (request.setsDefault ? ["--default-runtime"] : [])
        var units = [
            "/lib/systemd/system/docker.service", "/usr/lib/systemd/system/docker.service",
            "/etc/systemd/system/docker.service", "/etc/default/docker",
            "/etc/sysconfig/docker",
        ]
        let directory = "/etc/systemd/system/docker.service.d"
        units += try root.names(in: directory).filter { $0.hasSuffix(".conf") }
            .map { "\(directory)/\($0)" }
        for unit in units {
            guard let text = try root.read(unit) else { continue }
            for line in text.split(separator: UInt8(ascii: "\n"))
            where line.first != UInt8(ascii: "#") {
                let words = String(decoding: line, as: UTF8.self)
                for flag in flags where words.contains(flag) {
                    throw SetupError(
                        """
                        \(root.path)\(unit) starts dockerd with \(flag), which dockerd does not \
                        take beside runtimes in daemon.json: add \
                        \(Places.runtimeName)=/usr/bin/lxcfs-runtime there, or take it out
                        """)
                }
            }
        }
    }
}
