import Control
import Glibc

/// The program `lxcfs-hook`.
public enum Program {
    /// Runs to the end.
    ///
    /// Single-threaded: setns(2) refuses to move one of several threads.
    ///
    /// - Parameter arguments: the command line with the name of the program.
    public static func run(_ arguments: [String]) -> ExitCode {
        occupyStandardDescriptors()
        // A runtime that no longer listens must not end us between two mounts.
        signal(SIGPIPE, SIG_IGN)
        let parsed: Arguments
        do {
            parsed = try Arguments(Array(arguments.dropFirst()))
        } catch {
            // Also to syslog: a wrong hooks.d file is found out nowhere else with crun.
            Log(level: .error, syslog: true).error(error.description)
            return .usage
        }
        let options = parsed.options
        switch parsed.command {
        case .help:
            print(Help.text, terminator: "")
            return .success
        case .version:
            print("lxcfs-hook \(version)")
            return .success
        case .check(let directories):
            return Check(options: options).run(hookDirectories: directories)
        case .precreate:
            return Precreate(options: options, log: log(options)).run()
        case .seccompProfile(let base):
            return SeccompProfile(options: options, log: Log(level: .info, syslog: false))
                .run(base: base)
        case .stage(let stage):
            var runner = StageRunner(options: options, log: log(options))
            return runner.run(stage)
        case .attach(let pid, let id):
            var runner = CommandRunner(options: options, log: log(options))
            return runner.attach(pid: pid, id: id)
        case .attachAll:
            var runner = CommandRunner(options: options, log: log(options))
            return runner.attachAll()
        case .detach(let pid, let id):
            var runner = CommandRunner(options: options, log: log(options))
            return runner.detach(pid: pid, id: id)
        }
    }

    private static func log(_ options: Options) -> Log {
        Log(level: options.logLevel, syslog: options.usesSyslog)
    }

    /// A closed standard descriptor would become a file of ours, and messages would be
    /// written to it.
    private static func occupyStandardDescriptors() {
        for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 {
            // The lowest free number is the one that is missing.
            _ = Glibc.open("/dev/null", O_RDWR)
        }
    }
}
