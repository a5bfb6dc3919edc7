import Control
import Glibc
import Syscalls

/// The program `lxcfs-hook`.
public enum Program {
    /// Does what the command line says.
    ///
    /// The program stays single-threaded: setns(2) refuses to move one of several threads.
    ///
    /// - Parameter arguments: the command line with the name of the program.
    /// - Returns: how the program is to end.
    public static func run(_ arguments: [String]) -> ExitCode {
        // Also: a message to a runtime that no longer listens must not end the hook between two
        // mounts.
        prepareProcess()
        let parsed: Arguments
        do {
            parsed = try Arguments(Array(arguments.dropFirst()))
        } catch {
            // Also to syslog: crun shows nothing of a hook's output, so nobody would otherwise
            // learn that a hooks.d file is wrong.
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
            return runner.run(stage, input: FileDescriptor(owning: STDIN_FILENO))
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
}
