import ArgumentParser
import Control
import JSON

@main
struct Lxcfsd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lxcfsd",
        abstract: "Serves a container's own view of /proc and /sys.",
        discussion: """
            Without a subcommand it serves <mountpoint> until SIGTERM; "lxcfsd serve --help" \
            lists the options. Those of lxcfs are understood where they mean the same.

            Exit codes: 0 stopped by a signal, or the question was answered; 1 it could not \
            start, or the daemon did not answer; 64 wrong usage.
            """,
        version: "lxcfsd \(version)",
        subcommands: [Serve.self, List.self, Status.self, Work.self],
        defaultSubcommand: Serve.self)

    static func main() {
        // As in lxcfs. ArgumentParser has only the long name.
        main(CommandLine.arguments.dropFirst().map { $0 == "-v" ? "--version" : $0 })
    }
}

/// Where to reach the daemon, and how to print what it says.
struct QueryOptions: ParsableArguments {
    @Option(help: "Directory of the daemon's control socket.")
    var runtimeDir = Defaults.runtimeDirectory

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    func ask(_ operation: Request.Operation) throws(ControlError) -> Reply {
        try ControlClient(socket: Defaults.controlSocket(in: runtimeDir))
            .send(Request(operation))
    }

    func printJSON(_ value: some FieldValue) {
        print(String(decoding: encodeLine(value), as: UTF8.self), terminator: "")
    }
}
