import Glibc
import OCISpec
import Syscalls

/// Looks at the files that tell podman, buildah and CRI-O to run this hook (oci-hooks(5)), and at
/// those beside them: one bad file, and an engine starts no container.
struct HookDirectoryCheck {
    /// The directories, in the order in which podman is told of them: a file hides one of the
    /// same name in an earlier directory.
    let directories: [String]
    /// Those that buildah (`podman build`) and CRI-O read, too. They do not know `precreate`.
    var shared = HookDirectories.shared
    var podman = PodmanConfiguration()

    /// The name of the program that is looked for.
    private static let program = "lxcfs-hook"

    func findings() -> [Finding] {
        var findings: [Finding] = []
        var own: [String: (directory: String, path: String, file: HookFile)] = [:]
        for directory in directories {
            for name in Self.names(in: directory, &findings).sorted() {
                let path = "\(directory)/\(name)"
                // Engines read also what is hidden later.
                guard let file = read(path, &findings) else {
                    own[name] = nil
                    continue
                }
                if shared.contains(directory), file.stages.contains("precreate") {
                    findings.append(
                        .fail(
                            """
                            \(path): buildah (podman build) and CRI-O do not know the stage \
                            precreate, and start no container; move it to a directory of \
                            podman's alone
                            """))
                }
                own[name] = Self.isOwn(file) ? (directory, path, file) : nil
            }
        }
        var unconditional: [String] = []
        var conditional: [String] = []
        for (directory, path, file) in own.sorted(by: { $0.key < $1.key }).map(\.value) {
            findings += Self.check(file, path: path)
            if file.stages.contains("precreate"), !shared.contains(directory),
                !podman.names(directory)
            {
                findings.append(
                    .warn(
                        """
                        \(path): podman reads it only if hooks_dir in containers.conf names \
                        \(directory); see examples/podman/lxcfs-hook.conf
                        """))
            }
            // precreate mounts nothing, and can be run twice without harm.
            if file.stages == ["precreate"] { continue }
            if file.when.always == true {
                unconditional.append(path)
            } else {
                conditional.append(path)
            }
        }
        return findings + overview(conditional: conditional, unconditional: unconditional)
    }

    /// - Returns: nil if the file is no hook file, or of an older kind.
    private func read(_ path: String, _ findings: inout [Finding]) -> HookFile? {
        do {
            let content = try readFile(path, limit: HookFile.sizeLimit)
            do {
                let file = try HookFile(json: content, name: path)
                if !Self.isOwn(file), access(file.hook.path, F_OK) != 0 {
                    findings.append(
                        .warn("\(path): \(file.hook.path) is missing: engines skip the hook"))
                }
                return file
            } catch {
                // In what another program's file says, engines are less strict.
                let isFatal = Self.isFatal(error) || Self.mentionsProgram(content)
                findings.append(
                    isFatal
                        ? .fail(
                            "\(error): podman, buildah and CRI-O start no container with such a file"
                        )
                        : .warn("\(error)"))
                return nil
            }
        } catch {
            findings.append(.fail("\(error)"))
            return nil
        }
    }

    /// Whether the engines refuse such a file, too (containers/common, pkg/hooks: `Validate`).
    private static func isFatal(_ error: DocumentError) -> Bool {
        let (path, problem) = (error.fault.path, error.fault.problem)
        if error.isNoJSON { return true }
        switch path {
        // Without a version, and with this one, it is read as a file of the first kind.
        case "version":
            return !["missing", "duplicate key"].contains(problem)
                && !problem.hasPrefix("\"0.1.0\"")
        case "hook.path": return problem == "missing" || problem == "empty"
        case "stages": return problem == "missing"
        default: return path.hasPrefix("stages[")
        }
    }

    private static func isOwn(_ file: HookFile) -> Bool {
        file.hook.path.split(separator: "/").last ?? "" == program
    }

    /// What is wrong with all the files together.
    ///
    /// - Parameters:
    ///   - conditional: the files that run this hook for some containers.
    ///   - unconditional: those that do so for all.
    private func overview(conditional: [String], unconditional: [String]) -> [Finding] {
        var findings: [Finding] = []
        if conditional.isEmpty, unconditional.isEmpty {
            findings.append(
                .warn(
                    "no hook file for \(Self.program) in \(directories.joined(separator: ", "))"
                ))
        }
        if unconditional.count > 1 {
            findings.append(
                .fail(
                    "more than one file is for all containers: "
                        + unconditional.joined(separator: ", "),
                    "keep one of them"))
        }
        if unconditional.count == 1, !conditional.isEmpty {
            findings.append(
                .warn(
                    """
                    \(unconditional[0]) is for all containers; \
                    \(conditional.joined(separator: ", ")) runs the hook twice
                    """, "rm \(conditional.joined(separator: " "))"))
        }
        return findings
    }

    private static func names(
        in directory: String, _ findings: inout [Finding]
    ) -> [String] {
        guard let stream = opendir(directory) else {
            let error = SystemError("open", directory, errno: errno)
            // A directory that does not exist has no hooks, which is no fault.
            if error.errno != ENOENT { findings.append(.fail(error.description)) }
            return []
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".json") { names.append(name) }
        }
        return names
    }

    private static func mentionsProgram(_ content: [UInt8]) -> Bool {
        String(decoding: content, as: UTF8.self).contains(program)
    }

    private static func check(_ file: HookFile, path: String) -> [Finding] {
        var findings: [Finding] = []
        if let fault = fault(inProgram: file.hook.path) {
            findings.append(.fail("\(path): \(fault)"))
        }
        let words = Array((file.hook.args ?? []).dropFirst())
        do {
            let arguments = try Arguments(words)
            findings += check(arguments, stages: file.stages, path: path)
        } catch {
            findings.append(.fail("\(path): hook.args: \(error)"))
        }
        findings += timeout(file, path: path)
        if (file.hook.env ?? []).isEmpty {
            findings.append(.warn("\(path): no env: the hook gets the runtime's environment"))
        }
        if !findings.contains(where: { $0.verdict == .fail }) {
            let scope = file.when.always == true ? "for all containers" : "on condition"
            findings.append(
                .ok("\(path): \(scope), stages \(file.stages.joined(separator: ", "))"))
        }
        return findings
    }

    /// The runtime fails a container whose hook takes longer than that, also one that can do
    /// without.
    private static func timeout(_ file: HookFile, path: String) -> [Finding] {
        guard let timeout = file.hook.timeout else {
            return [.fail("\(path): no timeout: a hook that hangs stops every container")]
        }
        let words = Array((file.hook.args ?? []).dropFirst())
        guard let options = try? Arguments(words).options else { return [] }
        let limit = Watch.limit(timeout: options.timeout)
        let (milliseconds, overflow) = Int(timeout).multipliedReportingOverflow(by: 1000)
        if overflow || milliseconds > limit { return [] }
        return [
            .fail(
                """
                \(path): a timeout of \(timeout) s is not more than the \(limit / 1000) s that \
                the hook itself may take: lower its --timeout
                """)
        ]
    }

    private static func check(
        _ arguments: Arguments, stages: [String], path: String
    ) -> [Finding] {
        switch arguments.command {
        case .stage(let stage):
            return stages.compactMap { name in
                guard let listed = Stage(rawValue: name), listed != .auto else {
                    return .fail("\(path): stage \(name) is not one for this hook")
                }
                // The runtime does not tell a hook at which stage it runs.
                let isCreate = listed != .poststop
                let fits = stage == .auto || isCreate == (stage != .poststop)
                return fits
                    ? nil : .fail("\(path): \(name) is done as \(stage.rawValue): use auto")
            }
        case .precreate:
            return stages == ["precreate"]
                ? [] : [.fail("\(path): precreate cannot be done at other stages")]
        default: return [.fail("\(path): hook.args name no stage")]
        }
    }

    /// Why a program must not be run as a hook; nil if it may.
    ///
    /// A user who may write the program may become root, and runtimes do not look.
    private static func fault(inProgram path: String) -> String? {
        do {
            let status = try FileDescriptor.open(path, O_PATH).status(path: path)
            if status.st_mode & S_IFMT != S_IFREG { return "\(path) is not a file" }
            if status.st_mode & 0o111 == 0 { return "\(path) is not executable" }
            if status.st_uid != 0 { return "\(path) is not root's" }
            if status.st_mode & 0o022 != 0 {
                return "\(path) can be written by others than root"
            }
            return nil
        } catch {
            return error.description
        }
    }
}
