import Control
import Glibc
import OCISpec
import Syscalls

/// The command `seccomp-profile`: writes a profile with which the agent answers system calls.
struct SeccompProfile {
    let options: Options
    let log: Log

    /// - Parameter base: the file of a profile to start from; without one, everything is
    ///   allowed.
    func run(base: String?) -> ExitCode {
        do {
            guard case .daemon(let directory) = options.origin else {
                throw PrecreateError("lxcfs has no agent for system calls")
            }
            var profile: Seccomp?
            if let base {
                profile = try Seccomp(json: readFile(base, limit: Seccomp.sizeLimit))
            } else {
                let usual = "/usr/share/containers/seccomp.json"
                let isThere = access(usual, R_OK) == 0
                log.warning(
                    "without --base the profile forbids nothing"
                        + (isThere ? "; --base \(usual) is what podman uses" : ""))
            }
            // An administrator who asks for such a profile wants at least sysinfo.
            let calls = options.intercepted.union(.sysinfo)
            let outcome = Interception(
                listenerPath: Defaults.seccompSocket(in: directory), calls: calls.names
            ).applied(to: profile)
            guard outcome.objections.isEmpty else {
                throw PrecreateError(outcome.objections.joined(separator: "; "))
            }
            // Without a changed profile the base has all rules already.
            guard let result = outcome.profile ?? profile else { return .failure }
            try FileDescriptor(owning: STDOUT_FILENO).write(
                try result.encoded(pretty: true) + [UInt8(ascii: "\n")], path: "to stdout")
            return .success
        } catch let error as DocumentError {
            log.error("\(base ?? ""): \(error)")
            return .badInput
        } catch {
            log.error("no profile: \(error)")
            return .failure
        }
    }
}
