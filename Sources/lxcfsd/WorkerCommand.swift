import Glibc
import Logging
import LxcfsFS
import LxcfsHandover

/// `lxcfsd worker <number>`: not for people, but what the keeper starts to do its work.
///
/// It does not go through the argument parser, which takes 2 ms: readers wait for as long as
/// it takes to start.
enum WorkerCommand {
    /// - Parameter arguments: what follows the command's name.
    static func run(_ arguments: ArraySlice<String>) -> Never {
        guard let argument = arguments.first, arguments.count == 1 else {
            refuse("it takes the number of a descriptor")
        }
        let setup: WorkerSetup
        do {
            setup = try WorkerSetup(argument: argument)
        } catch {
            refuse("\(error)")
        }
        let log = makeLog(debug: setup.logsDebugMessages)
        do {
            try Worker(setup, log: log).run()
        } catch {
            log.error("\(Advice.added(to: error))")
            exit(1)
        }
        // Not exit(3): threads may still be in the midst of a request.
        _exit(0)
    }

    /// As the argument parser does: EX_USAGE.
    private static func refuse(_ reason: String) -> Never {
        let text = "lxcfsd: error: \"lxcfsd worker\" is for the daemon itself: \(reason)\n"
        // There is nobody else to tell if that fails.
        _ = write(STDERR_FILENO, text, text.utf8.count)
        exit(64)
    }
}
