import ArgumentParser
import Control
import Glibc
import Syscalls

@main
struct Lxcfsd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lxcfsd",
        abstract: "Serves a container's own view of /proc and /sys.",
        usage: """
            lxcfsd [<options>] [<mountpoint>]
            lxcfsd <subcommand>
            """,
        discussion: """
            Without a subcommand it serves <mountpoint>, or \(Serve.usualMountpoint), until SIGTERM; \
            "lxcfsd serve --help" lists the options. Those of lxcfs are understood.

            Exit codes: 0 stopped by a signal, or the question was answered; 1 it could not \
            start, or the daemon did not answer; 64 wrong usage.
            """,
        version: "lxcfsd \(version)",
        subcommands: [Serve.self, List.self, Status.self, Top.self, Metrics.self],
        defaultSubcommand: Serve.self)

    static func main() {
        prepareProcess()
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == "worker" { WorkerCommand.run(arguments.dropFirst()) }
        if arguments.first == "holder" { HolderCommand.run(arguments.dropFirst()) }
        do {
            var command = try parseAsRoot(LxcfsArguments.translated(arguments))
            try command.run()
        } catch {
            end(error)
        }
    }

    /// Errors as lxcfs-hook says them, on one line; with the usage where that is wrong.
    private static func end(_ error: any Error) -> Never {
        let code = exitCode(for: error)
        // Help and version go to standard output.
        if code.isSuccess { exit(withError: error) }
        if let error = error as? SystemError, error.errno == EPIPE { Glibc.exit(0) }
        let text = fullMessage(for: error)
        if !text.isEmpty {
            let label = "Error: "
            let sentence = text.hasPrefix(label) ? String(text.dropFirst(label.count)) : text
            // There is nobody else to tell if that fails.
            _ = LogOutput.write("lxcfsd: error: \(sentence)\n")
        }
        Glibc.exit(code.rawValue)
    }
}
