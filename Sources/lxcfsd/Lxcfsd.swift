import ArgumentParser
import Control
import Syscalls

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
        subcommands: [Serve.self, List.self, Status.self],
        defaultSubcommand: Serve.self)

    static func main() {
        prepareProcess()
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == "worker" { WorkerCommand.run(arguments.dropFirst()) }
        if arguments.first == "holder" { HolderCommand.run(arguments.dropFirst()) }
        // As in lxcfs. ArgumentParser has only the long name.
        main(arguments.map { $0 == "-v" ? "--version" : $0 })
    }
}
