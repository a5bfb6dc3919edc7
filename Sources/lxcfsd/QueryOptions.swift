import ArgumentParser
import Control
import JSON

/// Where to reach the daemon.
struct SocketOptions: ParsableArguments {
    @Option(help: "Directory of the daemon's control socket.")
    var runtimeDir = Defaults.runtimeDirectory

    var client: ControlClient {
        ControlClient(socket: Defaults.controlSocket(in: runtimeDir))
    }

    func ask(_ operation: Request.Operation) throws(ControlError) -> Reply {
        try client.send(Request(operation))
    }

    func askStatus() throws(ControlError) -> DaemonStatus {
        guard let status = try ask(.status).status else {
            throw ControlError.garbled("no status in it")
        }
        return status
    }
}

/// How to print what the daemon says.
struct QueryOptions: ParsableArguments {
    @OptionGroup var socket: SocketOptions

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    func printJSON(_ value: some FieldValue) throws {
        try Output.write(String(decoding: encodeLine(value), as: UTF8.self))
    }
}
