/// How the program ends. What each code means is written down here and nowhere else.
public enum ExitCode: Int32, CaseIterable, Sendable {
    /// Done, or deliberately left alone (opt-out, nothing to do, failure without
    /// `--required`).
    case success = 0
    /// What was asked for could not be done: a stage with `--required`, `attach`, `detach`,
    /// or a `check` with a FAIL line.
    case failure = 1
    /// The command line is wrong.
    case usage = 2
    /// The state or config.json cannot be read or makes no sense. `--required` changes nothing
    /// about that: the hook was not called as runtimes call hooks.
    case badInput = 3

    /// The line in `--help`.
    var summary: String {
        switch self {
        case .success: "done, or deliberately left alone"
        case .failure:
            """
            failed: a stage with --required, attach, detach, seccomp-profile, or a check that found \
            a fault
            """
        case .usage: "wrong command line"
        case .badInput:
            "state, config.json or --base unreadable or invalid, whatever the options"
        }
    }
}
