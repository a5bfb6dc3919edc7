/// The command line of the podman that has started this hook at `precreate`.
struct PodmanCommandLine: Equatable {
    /// `run`, `start`, ...; nil if there is none.
    let command: String?
    /// The value of `--runtime`: a name or a path.
    let runtime: String?

    /// Options before the command that take no value (podman(1)). All others do.
    private static let flags: Set<Substring> = [
        "--help", "-h", "--version", "-v", "--remote", "-r", "--syslog", "--noout", "--trace",
        "--transient-store",
    ]

    /// - Parameter words: as `/proc/<pid>/cmdline` has them.
    /// - Returns: nil if it is another program's.
    init?(words: [Substring]) {
        guard let program = words.first?.split(separator: "/").last, program == "podman" else {
            return nil
        }
        var runtime: Substring?
        var command: Substring?
        var rest = words.dropFirst()
        while let word = rest.popFirst() {
            guard word.hasPrefix("-") else {
                command = word == "container" ? rest.first : word
                break
            }
            let parts = word.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if Self.flags.contains(parts[0]) { continue }
            let value = parts.count > 1 ? parts[1] : rest.popFirst()
            if parts[0] == "--runtime" { runtime = value }
        }
        self.command = command.map(String.init)
        self.runtime = runtime.map(String.init)
    }
}
