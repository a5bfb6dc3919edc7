/// Understands the words of the command line one after the other.
struct ArgumentParser {
    var words: ArraySlice<String>
    var options = Options()
    var operands: [String] = []
    var runtimeDirectory: String?
    var lxcfsRoot: String?
    var id: String?
    var hookDirectories: [String] = []
    var wantsAll = false
    var wantsJSON = false
    /// Options that only `install` and `uninstall` have, as they were written.
    var setupOptions: [Substring] = []
    var setup = SetupRequest(.install, .docker)
    var base: String?
    var wantsHelp = false
    var wantsVersion = false

    mutating func run() throws(UsageError) {
        while let word = words.popFirst() {
            if !word.hasPrefix("-") || word == "-" {
                operands.append(word)
                continue
            }
            let parts = word.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            try option(parts[0], value: parts.count > 1 ? String(parts[1]) : nil)
        }
    }

    private mutating func option(
        _ name: Substring, value inline: String?
    ) throws(UsageError) {
        switch name {
        case "--all": wantsAll = try flag(name, inline)
        case "--json": wantsJSON = try flag(name, inline)
        case "--set-default", "--dry-run", "--restart", "--root", "--config", "--runtime-path",
            "--hook-path":
            try setupOption(name, inline)
        case "--policy": options.policyPath = try directory(name, inline)
        case "--timeout": options.timeout = try milliseconds(name, inline)
        case "--required": options.isRequired = try flag(name, inline)
        case "--unmasked": options.attachesUnmasked = try flag(name, inline)
        case "--host-pid": options.attachesHostPID = try flag(name, inline)
        case "--no-freeze": options.freezes = try !flag(name, inline)
        case "--sysinfo": if try flag(name, inline) { options.intercepted.insert(.sysinfo) }
        case "--no-sysinfo": options.withholdsSysinfo = try flag(name, inline)
        case "--time": options.wantsTime = try flag(name, inline)
        case "--runtime":
            let text = try value(name, inline)
            guard !text.isEmpty, text.hasPrefix("/") || !text.contains("/") else {
                throw UsageError(description: "\(name) needs a name or an absolute path")
            }
            options.runtime = text
        case "--affinity": if try flag(name, inline) { options.intercepted.insert(.affinity) }
        case "--base": base = try value(name, inline)
        case "--no-syslog": options.usesSyslog = try !flag(name, inline)
        case "--help", "-h": wantsHelp = try flag(name, inline)
        case "--version": wantsVersion = try flag(name, inline)
        case "--files":
            do {
                options.files = try VirtualFile.parse(value(name, inline))
            } catch let error as VirtualFile.ListError {
                throw UsageError(description: "\(name): \(error)")
            } catch {
                throw UsageError(description: "\(error)")
            }
        case "--cpus": options.cpus = try choice(name, inline)
        case "--log-level": options.logLevel = try choice(name, inline)
        case "--runtime-dir": runtimeDirectory = try directory(name, inline)
        case "--lxcfs-root": lxcfsRoot = try directory(name, inline)
        case "--hooks-dir": hookDirectories.append(try directory(name, inline))
        case "--id":
            let text = try value(name, inline)
            if let fault = ContainerID.fault(text) { throw UsageError(description: fault) }
            id = text
        default: throw UsageError(description: "unknown option \(name)")
        }
    }

    private mutating func setupOption(
        _ name: Substring, _ inline: String?
    ) throws(UsageError) {
        setupOptions.append(name)
        switch name {
        case "--set-default": setup.setsDefault = try flag(name, inline)
        case "--dry-run": setup.isDryRun = try flag(name, inline)
        case "--restart": setup.restarts = try flag(name, inline)
        case "--root": setup.root = try directory(name, inline)
        case "--config": setup.config = try directory(name, inline)
        case "--runtime-path": setup.runtimePath = try directory(name, inline)
        default: setup.hookPath = try directory(name, inline)
        }
    }

    private func flag(_ name: Substring, _ inline: String?) throws(UsageError) -> Bool {
        if inline != nil { throw UsageError(description: "\(name) takes no value") }
        return true
    }

    private mutating func value(
        _ name: Substring, _ inline: String?
    ) throws(UsageError) -> String {
        guard let value = inline ?? words.popFirst() else {
            throw UsageError(description: "\(name) needs a value")
        }
        return value
    }

    /// Of seconds, with up to three digits behind a point.
    private mutating func milliseconds(
        _ name: Substring, _ inline: String?
    ) throws(UsageError) -> Int {
        let text = try value(name, inline)
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = parts.count > 1 ? String(parts[1]) : ""
        let digits = parts[0] + fraction
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }),
            fraction.utf8.count <= 3, parts[0].utf8.count <= 4,
            let time = Int(parts[0] + (fraction + "000").prefix(3)), (100...3_600_000) ~= time
        else {
            throw UsageError(description: "\(name) needs seconds, 0.1 to 3600")
        }
        return time
    }

    private mutating func choice<Choice: RawRepresentable>(
        _ name: Substring, _ inline: String?
    ) throws(UsageError) -> Choice where Choice.RawValue == String {
        let text = try value(name, inline)
        guard let choice = Choice(rawValue: text) else {
            throw UsageError(description: "\(name) does not know \(text.debugDescription)")
        }
        return choice
    }

    private mutating func directory(
        _ name: Substring, _ inline: String?
    ) throws(UsageError) -> String {
        let path = try value(name, inline)
        // The runtime chooses in which directory a hook runs.
        guard path.hasPrefix("/") else {
            throw UsageError(description: "\(name) needs an absolute path")
        }
        return path
    }

    func command() throws(UsageError) -> Command {
        if wantsHelp { return .help }
        if wantsVersion { return .version }
        guard let name = operands.first else {
            throw UsageError(description: "no command; see --help")
        }
        let rest = Array(operands.dropFirst())
        let command = try command(name, rest)
        if id != nil {
            switch command {
            case .attach, .detach: break
            default: throw UsageError(description: "--id is for attach and detach")
            }
        }
        if wantsAll, command != .attachAll, command != .detachAll {
            throw UsageError(description: "--all is for attach and detach, without a pid")
        }
        if !options.freezes, name != "attach" {
            throw UsageError(description: "--no-freeze is for attach")
        }
        if wantsAll, lxcfsRoot != nil || options.cpus != nil {
            throw UsageError(
                description: "\(name) --all takes neither --lxcfs-root nor --cpus")
        }
        if !options.intercepted.isEmpty, name != "precreate", name != "seccomp-profile" {
            throw UsageError(
                description: "--sysinfo and --affinity are for precreate and seccomp-profile")
        }
        if options.withholdsSysinfo || options.wantsTime || options.runtime != nil,
            name != "precreate"
        {
            throw UsageError(
                description: "--no-sysinfo, --time and --runtime are for precreate")
        }
        if options.withholdsSysinfo, options.intercepted.contains(.sysinfo) {
            throw UsageError(description: "--sysinfo and --no-sysinfo exclude each other")
        }
        if base != nil, name != "seccomp-profile" {
            throw UsageError(description: "--base is for seccomp-profile")
        }
        if !hookDirectories.isEmpty || wantsJSON, name != "check" {
            throw UsageError(description: "--hooks-dir and --json are for check")
        }
        if let option = setupOptions.first, name != "install", name != "uninstall" {
            throw UsageError(description: "\(option) is for install and uninstall")
        }
        return command
    }

    private func command(_ name: String, _ rest: [String]) throws(UsageError) -> Command {
        switch name {
        case "attach" where wantsAll && rest.isEmpty && id == nil: return .attachAll
        case "attach": return .attach(pid: try pid(name, rest), id: id)
        case "detach" where wantsAll && rest.isEmpty && id == nil: return .detachAll
        case "detach": return .detach(pid: try pid(name, rest), id: id)
        case "install": return .setup(try setup(.install, rest))
        case "uninstall": return .setup(try setup(.uninstall, rest))
        default: break
        }
        if let reason = Self.objection(toStage: name) {
            throw UsageError(description: "\(name) is not a stage for this hook: \(reason)")
        }
        guard rest.isEmpty else {
            throw UsageError(description: "\(name) takes no argument \(rest[0])")
        }
        switch name {
        case "precreate": return .precreate
        case "seccomp-profile": return .seccompProfile(base: base)
        case "check":
            return .check(
                hookDirectories: hookDirectories.isEmpty
                    ? HookDirectories.usual : hookDirectories,
                json: wantsJSON)
        default:
            guard let stage = Stage(rawValue: name) else {
                throw UsageError(description: "unknown command \(name); see --help")
            }
            return .stage(stage)
        }
    }

    private func setup(
        _ action: SetupRequest.Action, _ rest: [String]
    ) throws(UsageError) -> SetupRequest {
        let names = EngineName.allCases.map(\.rawValue).joined(separator: ", ")
        guard rest.count == 1 else {
            throw UsageError(description: "\(action) takes the name of one engine: \(names)")
        }
        guard let engine = EngineName(rawValue: rest[0] == "cri-o" ? "crio" : rest[0]) else {
            throw UsageError(
                description: "unknown engine \(rest[0].debugDescription), not one of \(names)")
        }
        var request = setup
        request.action = action
        request.engine = engine
        if action == .uninstall {
            for option in setupOptions
            where !["--dry-run", "--restart", "--root"].contains(option) {
                throw UsageError(description: "\(option) is for install")
            }
        }
        if request.restarts, request.root != "/" {
            throw UsageError(description: "--restart cannot restart what is in another --root")
        }
        return request
    }

    /// Why a stage of the specification is not one for this hook; nil for all other words.
    private static func objection(toStage name: String) -> String? {
        switch name {
        case "createContainer":
            """
            it runs in the container's namespaces, where the daemon's mounts cannot be \
            reached, and with runc in the image's environment (LD_PRELOAD); use createRuntime
            """
        case "startContainer":
            """
            it runs inside the container, where the daemon's mounts cannot be reached; use \
            createRuntime
            """
        case "poststart":
            """
            the container's program already runs and may have read the host's values; use \
            createRuntime, or attach for running containers
            """
        default: nil
        }
    }

    private func pid(_ name: String, _ rest: [String]) throws(UsageError) -> Int32 {
        guard rest.count == 1 else {
            throw UsageError(description: "\(name) takes the pid of one process")
        }
        guard let pid = Int32(rest[0]), pid > 0 else {
            throw UsageError(description: "\(rest[0].debugDescription) is not a pid")
        }
        return pid
    }

    func checkedOptions() throws(UsageError) -> Options {
        var options = options
        if let lxcfsRoot {
            guard runtimeDirectory == nil else {
                throw UsageError(
                    description: "--lxcfs-root and --runtime-dir exclude each other")
            }
            guard options.cpus == nil else {
                throw UsageError(
                    description: "--cpus needs lxcfsd: lxcfs itself decides for all containers")
            }
            guard options.intercepted.isEmpty else {
                throw UsageError(
                    description: "--sysinfo and --affinity need lxcfsd: lxcfs has no agent")
            }
            options.origin = .lxcfs(root: lxcfsRoot)
        } else if let runtimeDirectory {
            options.origin = .daemon(runtimeDirectory: runtimeDirectory)
        }
        return options
    }
}
