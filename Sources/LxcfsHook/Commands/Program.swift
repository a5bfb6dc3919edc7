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
    public static func run(_ arguments: [String]) -> ExitCode { run(arguments, setup: nil) }

    /// - Parameter setup: nil if commands that need it are another program's.
    package static func run(_ arguments: [String], setup: (any Setup)?) -> ExitCode {
        // Also: a message to a runtime that no longer listens must not end the hook between two
        // mounts.
        prepareProcess()
        // Of whoever has started the runtime; it needs some 40 descriptors. What cannot be raised is
        // named by what fails for it.
        _ = raiseLimits()
        let parsed: Arguments
        do {
            parsed = try Arguments(Array(arguments.dropFirst()))
        } catch {
            // As a hook also to syslog: crun shows nothing of a hook's output, so nobody would
            // otherwise learn that a hooks.d file is wrong.
            let isHook = arguments.dropFirst().contains(where: Stage.isOfSpecification)
            Log(level: .error, syslog: isHook).error(error.description)
            return .usage
        }
        var options = parsed.options
        // Who types a command reads what it says.
        if !parsed.command.isForContainers { options.usesSyslog = false }
        do {
            if parsed.command.isForContainers { try PolicyFile.apply(to: &options) }
        } catch {
            Log(level: .error, syslog: options.usesSyslog).error("policy: \(error)")
            return .usage
        }
        switch parsed.command {
        case .help:
            print(Help.text, terminator: "")
            return .success
        case .version:
            print("lxcfs-hook \(version)")
            return .success
        case .check(let directories, let isJSON):
            guard let setup else { return SetupProgram.become(arguments) }
            return Check(options: options, setup: setup).run(
                hookDirectories: directories, json: isJSON)
        case .setup(let request):
            guard let setup else { return SetupProgram.become(arguments) }
            return setup.run(request)
        case .precreate:
            return precreate(options)
        case .seccompProfile(let base):
            return SeccompProfile(options: options, log: Log(level: .info, syslog: false))
                .run(base: base)
        case .stage(let stage):
            return watch(options, .stage) { log, _ in
                var runner = StageRunner(options: options, log: log)
                return runner.run(stage, input: FileDescriptor(owning: STDIN_FILENO))
            }.code
        case .attach(let pid, let id):
            return watch(options, .command) { log, _ in
                var runner = CommandRunner(options: options, log: log)
                return runner.attach(pid: pid, id: id)
            }.code
        case .attachAll:
            var runner = CommandRunner(options: options, log: log(options))
            return runner.attachAll()
        case .detachAll:
            return DetachAll(options: options, log: log(options)).run()
        case .detach(let pid, let id):
            return watch(options, .command) { log, _ in
                var runner = CommandRunner(options: options, log: log)
                return runner.detach(pid: pid, id: id)
            }.code
        }
    }

    private static func watch(
        _ options: Options, _ kind: Watch.Kind, _ body: (Log, ([UInt8]) -> Void) -> ExitCode
    ) -> Watch.Result {
        Watch(options: options, log: log(options), kind: kind).run(body)
    }

    /// What goes wrong does not keep config.json from coming out as it went in.
    private static func precreate(_ options: Options) -> ExitCode {
        let log = log(options)
        let input: [UInt8]
        do {
            try exitProcess(
                afterMilliseconds: Watch.limit(timeout: options.timeout),
                code: ExitCode.overdue.rawValue)
            input = try Precreate.read()
        } catch {
            log.error(error.description)
            return .badInput
        }
        let result = Watch(options: options, log: log, kind: .stage).run { log, output in
            Precreate(options: options, log: log).run(input, output: output)
        }
        guard result.code == .success else { return result.code }
        do {
            try Precreate.write(result.output ?? input)
            return .success
        } catch {
            log.error(error.description)
            return .failure
        }
    }

    private static func log(_ options: Options) -> Log {
        Log(level: options.logLevel, syslog: options.usesSyslog)
    }
}
