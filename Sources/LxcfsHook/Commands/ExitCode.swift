/// How the program ends. What each code means is written down here and nowhere else.
public enum ExitCode: Int32, CaseIterable, Sendable {
    /// Done, or deliberately left alone (opt-out, nothing to do, anything that fails or makes no
    /// sense without `--required`): the container starts as if there were no hook.
    case success = 0
    /// What was asked for could not be done: a stage with `--required`, `attach`, `detach`,
    /// `install`, `uninstall`, or a `check` with a FAIL line.
    case failure = 1
    /// The command line is wrong.
    case usage = 2
    /// config.json, or the file of `--base`, is no JSON: no runtime starts a container with it
    /// either. With `--required` also a state or config.json that cannot be read or makes no
    /// sense.
    case badInput = 3
    /// What was asked for was not done in time (`--timeout`): a stage with `--required`, `attach`,
    /// `detach`.
    case overdue = 4

    /// The line in `--help`.
    var summary: String {
        switch self {
        case .success: "done, or deliberately left alone"
        case .failure:
            "failed: a stage with --required, another command, or a check with a FAIL line"
        case .usage: "wrong command line"
        case .badInput:
            "config.json or --base is not JSON; --required: state or config.json makes no sense"
        case .overdue: "not done in time: a stage with --required, attach, detach"
        }
    }
}
