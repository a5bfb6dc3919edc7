import CLinux
import Glibc
import Syscalls

/// What is done before the real runtime creates a container.
struct Creation {
    let invocation: RuntimeInvocation
    let real: RealRuntime
    /// What is executed if this takes too long.
    let program:
        (
            path: UnsafeMutablePointer<CChar>?,
            arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
        )

    /// Changes config.json, or says in the log why not.
    ///
    /// - Throws: `PrecreateError` if the container is not to start without.
    func prepare(
        _ configuration: Result<RuntimeConfiguration, InputError>
    ) throws(PrecreateError) {
        var options = Options()
        let log = Log(level: .info, sink: Self.sink)
        do {
            let configuration = try Self.read(configuration, &options)
            if options.isRequired {
                // Not freed: it is for the rest of this process.
                clinux_guard_fail(
                    "lxcfs-runtime: failed, or not done in time, and the container is not to "
                        + "start without\n", RuntimeExit.required)
            }
            clinux_guard_arm(program.path, program.arguments, UInt32(options.timeout))
            let usesSyslog = options.usesSyslog
            let log = Log(level: options.logLevel) { level, message in
                if usesSyslog { Self.sink(level, message) }
            }
            try edit(configuration, options, log)
        } catch {
            let reason = "config.json is left as it is: \(error)"
            log.log(options.faultLevel, reason)
            if options.isRequired { throw PrecreateError(reason) }
        }
    }

    /// The configuration, with what it and the policy say about `options`.
    ///
    /// What the policy requires holds also where the configuration makes no sense.
    private static func read(
        _ configuration: Result<RuntimeConfiguration, InputError>, _ options: inout Options
    ) throws -> RuntimeConfiguration {
        do {
            let configuration = try configuration.get()
            options.isRequired = configuration.required ?? false
            options = try configuration.hookOptions()
            try applyPolicy(to: &options)
            return configuration
        } catch let error as PrecreateError {
            throw error
        } catch {
            try applyPolicy(to: &options)
            throw error
        }
    }

    /// With a policy that cannot be used, no container starts: as with the hook, it is not known
    /// what is required.
    private static func applyPolicy(to options: inout Options) throws(PrecreateError) {
        do {
            try PolicyFile.apply(to: &options)
        } catch {
            options.isRequired = true
            throw PrecreateError("policy: \(error)")
        }
    }

    private func edit(
        _ configuration: RuntimeConfiguration, _ options: Options, _ log: Log
    ) throws {
        if let other = invocation.configuration {
            throw PrecreateError("--config names another file, \(other), than the hook reads")
        }
        var log = log
        let bundle = invocation.bundle ?? "."
        let file = try BundleConfig(bundle: bundle)
        let name = bundle.split(separator: "/").last.map(String.init)
        log.container = name.flatMap { ContainerID.fault($0) == nil ? $0 : nil }
        let adapted = AdaptedConfig(
            options: options, containers: configuration.containers ?? .all,
            hook: HookEntries(
                path: configuration.hook ?? RuntimeConfiguration.usualHook,
                arguments: configuration.hookArguments, options: options),
            runtime: RuntimeChoice(path: real.path), log: log)
        if let new = try adapted.make(from: file.content) { try file.replace(with: new) }
    }

    /// Only the system's log: standard error is the container's, or read by engines when the
    /// runtime fails.
    private static func sink(_ level: LogLevel, _ message: String) {
        SystemLog.open(identity: "lxcfs-runtime")
        SystemLog.write(level.priority, message)
    }
}
