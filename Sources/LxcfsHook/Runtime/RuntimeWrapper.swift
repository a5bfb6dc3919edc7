import CLinux
import Glibc
import Syscalls

/// The program `lxcfs-runtime`: runc or crun, and config.json such that containers are served.
public enum RuntimeWrapper {
    /// Becomes the real runtime, with the same arguments, environment and descriptors.
    ///
    /// Nothing of this process may be left in that: descriptors are closed by execve(2), and signals
    /// and timer are put back.
    ///
    /// - Parameter arguments: of main(), ended by nil.
    public static func run(
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, count: Int
    ) -> Never {
        let words = (0..<count).compactMap { arguments[$0].map { String(cString: $0) } }
        let configuration: Result<RuntimeConfiguration, InputError>
        do {
            configuration = .success(try RuntimeConfigurationFile.read())
        } catch {
            configuration = .failure(error)
        }
        let real: RealRuntime
        do {
            real = try RealRuntime.find(
                configured: try? configuration.get().runtime, ownName: words.first ?? "",
                searchPath: getenv("PATH").map { String(cString: $0) },
                isOurs: RuntimeMark.isOurs)
        } catch {
            let invocation = RuntimeInvocation(Array(words.dropFirst()), isCrun: false)
            RuntimeError.report(error.description, invocation)
            exit(error.isMissing ? RuntimeExit.notFound : RuntimeExit.notExecuted)
        }
        if ScriptCircle.isClosed(by: real.path) {
            RuntimeError.report(
                "the runtime \(real.path) is a script that starts lxcfs-runtime again: name runc or "
                    + "crun in \(RuntimeConfigurationFile.path)",
                RuntimeInvocation(Array(words.dropFirst()), isCrun: false))
            exit(RuntimeExit.notExecuted)
        }
        // Both live until the program ends or becomes another.
        let path = strdup(real.path)
        arguments[0] = strdup(real.name)
        let invocation = RuntimeInvocation(Array(words.dropFirst()), isCrun: real.isCrun)
        if invocation.createsContainer {
            clinux_guard_arm(path, arguments, UInt32(Options().timeout))
            do throws(PrecreateError) {
                try Creation(invocation: invocation, real: real, program: (path, arguments))
                    .prepare(configuration)
            } catch {
                clinux_guard_disarm()
                RuntimeError.report(error.description, invocation)
                exit(RuntimeExit.required)
            }
            clinux_guard_disarm()
        }
        if let path { execve(path, arguments, environ) }
        let reason = errnoInWords(errno)
        RuntimeError.report("cannot execute \(real.path): \(reason)", invocation)
        exit(RuntimeExit.notExecuted)
    }
}

extension RealRuntime.Fault {
    fileprivate var isMissing: Bool {
        if case .missing = self { true } else { false }
    }
}
