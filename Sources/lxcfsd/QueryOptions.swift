import ArgumentParser
import Control
import JSON

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
