import ArgumentParser
import Glibc
import Logging
import LxcfsFS
import LxcfsHandover

/// Not for people: what the daemon starts to do its work.
struct Work: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Serve on behalf of a keeper.",
        shouldDisplay: false)

    @Argument(help: .hidden)
    var setup: String

    func run() throws {
        let setup: WorkerSetup
        do {
            setup = try WorkerSetup(argument: self.setup)
        } catch {
            throw ValidationError("this is for the daemon itself: \(error)")
        }
        let log = makeLog(debug: setup.logsDebugMessages)
        do {
            try Worker(setup, log: log).run()
        } catch {
            log.error("\(error)")
            throw ExitCode(1)
        }
        // Not exit(3): threads may still be in the midst of a request.
        _exit(0)
    }
}

func makeLog(debug: Bool) -> Logger {
    var log = Logger(label: "lxcfsd") { StreamLogHandler.standardError(label: $0) }
    log.logLevel = debug ? .debug : .info
    return log
}
