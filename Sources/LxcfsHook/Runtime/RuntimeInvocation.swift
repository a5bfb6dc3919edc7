/// What matters of the command line of a runtime: whether it creates a container, and of which
/// bundle.
///
/// runc reads its options with urfave/cli: one dash or two, `-b X`, `-b=X`, options also behind
/// the container's name. crun does with argp: `-b X`, `-bX`, and long names may be cut short. What
/// neither knows is passed over; the runtime will say what is wrong with it.
struct RuntimeInvocation: Equatable {
    /// nil if there is none, or help or the version is asked for.
    private(set) var command: String?
    /// As it is given; nil: the working directory.
    private(set) var bundle: String?
    /// crun's `--config`: another file than the bundle's config.json.
    private(set) var configuration: String?
    /// Where the runtime is to write errors, for engines to read.
    private(set) var log: String?
    private(set) var logFormat: String?

    /// Commands that read a bundle's config.json to make a container of it.
    static let creating: Set = ["create", "run", "restore"]

    var createsContainer: Bool { command.map(Self.creating.contains) ?? false }

    private static let otherCommands: Set = [
        "checkpoint", "delete", "events", "exec", "features", "help", "init", "kill", "list",
        "mounts", "pause", "ps", "resume", "spec", "start", "state", "update",
    ]

    /// Names of options, without dashes.
    private struct Table {
        let flags: [String]
        let valued: [String]
    }

    private static let help = ["help", "h", "?", "usage"]
    private static let version = ["version", "v", "V"]

    private static let global = Table(
        flags: ["debug", "systemd-cgroup"] + help + version,
        valued: [
            "cgroup-manager", "criu", "log", "log-format", "log-level", "root", "rootless",
        ])

    private static let ofCommand = Table(
        flags: [
            "auto-dedup", "d", "detach", "ext-unix-sk", "file-locks", "keep", "lazy-pages",
            "no-new-keyring", "no-pivot", "no-subreaper", "shell-job", "tcp-close",
            "tcp-established",
        ] + help,
        valued: [
            "b", "bundle", "config", "console-socket", "empty-ns", "f", "image-path",
            "lsm-mount-context", "lsm-profile", "manage-cgroups-mode", "network-lock",
            "pid-file", "pidfd-socket", "preserve-fds", "work-path",
        ])

    /// - Parameters:
    ///   - words: without the name of the program.
    ///   - isCrun: the runtime reads its options as crun does.
    init(_ words: [String], isCrun: Bool) {
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                command = rest.popFirst()
                break
            }
            guard let option = Option(word, Self.global, isCrun: isCrun) else {
                command = word
                break
            }
            guard take(option, &rest) else { return }
            // It may have a value, which is no command.
            if !option.isKnown, option.value == nil, let next = rest.first,
                !next.hasPrefix("-"), !Self.creating.contains(next),
                !Self.otherCommands.contains(next)
            {
                rest.removeFirst()
            }
        }
        guard createsContainer else { return }
        while let word = rest.popFirst(), word != "--" {
            guard let option = Option(word, Self.ofCommand, isCrun: isCrun) else { continue }
            guard take(option, &rest) else {
                command = nil
                return
            }
        }
    }

    /// - Returns: false if the runtime only says something about itself.
    private mutating func take(_ option: Option, _ rest: inout ArraySlice<String>) -> Bool {
        if option.isAboutItself { return option.value == "false" }
        guard option.takesValue else { return true }
        guard let value = option.value ?? rest.popFirst() else { return true }
        switch option.name {
        case "b", "bundle": bundle = value
        case "config", "f": configuration = value
        case "log": log = value
        case "log-format": logFormat = value
        default: break
        }
        return true
    }

    /// One word that begins with a dash.
    private struct Option {
        var name = ""
        /// What is in the same word.
        var value: String?
        var takesValue = false
        var isKnown = false
        /// Whether it is help or the version that is asked for.
        var isAboutItself: Bool {
            isKnown
                && (RuntimeInvocation.help.contains(name)
                    || RuntimeInvocation.version.contains(name))
        }

        /// nil if the word is no option.
        init?(_ word: String, _ table: Table, isCrun: Bool) {
            guard word.hasPrefix("-"), word != "-" else { return nil }
            let isLong = word.hasPrefix("--")
            let parts = word.drop { $0 == "-" }.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let given = parts.first.map(String.init) ?? ""
            let full = Self.fullName(given, table, isCrun: isCrun)
            // crun's way also for one that is not called so.
            let isForeign = full == nil && given.hasPrefix("b") && table.valued.contains("b")
            if !isLong, isCrun || isForeign {
                read(cluster: word.dropFirst(), table)
                return
            }
            name = full ?? given
            value = parts.count > 1 ? String(parts[1]) : nil
            isKnown = full != nil
            takesValue = table.valued.contains(name)
        }

        /// Flags of one letter each, the last of which may have a value.
        private mutating func read(cluster: Substring, _ table: Table) {
            var rest = cluster
            while let letter = rest.popFirst().map(String.init) {
                name = letter
                takesValue = table.valued.contains(letter)
                isKnown = takesValue || table.flags.contains(letter)
                if takesValue, !rest.isEmpty { value = String(rest) }
                if takesValue || isAboutItself { return }
            }
        }

        private static func fullName(_ given: String, _ table: Table, isCrun: Bool) -> String? {
            let names = table.flags + table.valued
            if names.contains(given) { return given }
            guard isCrun, !given.isEmpty else { return nil }
            let longer = names.filter { $0.count > 1 && $0.hasPrefix(given) }
            return longer.count == 1 ? longer[0] : nil
        }
    }
}
