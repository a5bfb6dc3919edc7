import Control
import Glibc
import OCISpec

/// Makes lxcfsd the agent of a container that is about to be created, so that system calls are
/// answered from the same facts as its files.
struct AnsweredCalls {
    let options: Options
    let wishes: ContainerWishes
    let runtime: RuntimeChoice
    let log: Log

    /// - Returns: whether `config` has been changed.
    func add(to config: inout Config) throws(PrecreateError) -> Bool {
        let calls = InterceptedSet(options, wishes)
        if calls.isEmpty { return false }
        if let reason = objection(config) {
            log.info("system calls are left alone: \(reason)")
            return false
        }
        guard case .daemon(let directory) = options.origin else {
            throw PrecreateError("lxcfs has no agent for them")
        }
        let foreign =
            ForeignAgent.objection(toKeysOf: config)
            ?? ForeignAgent.objection(
                annotations: config.annotations ?? [:],
                receiver: getenv(ForeignAgent.receiverVariable).map { String(cString: $0) })
        if let foreign {
            if options.isRequired { throw PrecreateError(foreign) }
            log.info("system calls are left alone: \(foreign)")
            return false
        }
        try Self.checkAgent(directory)
        let interception = Interception(
            listenerPath: Defaults.seccompSocket(in: directory), calls: calls.names)
        let outcome = interception.applied(to: config.linux?.seccomp)
        if !outcome.objections.isEmpty, options.isRequired {
            throw PrecreateError(outcome.objections.joined(separator: "; "))
        }
        for objection in outcome.objections {
            log.info("seccomp profile left alone: \(objection)")
        }
        guard let profile = outcome.profile else { return false }
        if config.linux == nil { config.linux = Linux() }
        config.linux?.seccomp = profile
        return true
    }

    /// Why the container is none whose calls are answered: the agent would leave them to the
    /// kernel, which takes longer; or it would not start.
    private func objection(_ config: Config) -> String? {
        if let reason = Policy.objection(
            config, wishes: wishes, options: options,
            sharesMountNamespace: NamespacePath.isOurs(.mount, config),
            sharesPIDNamespace: NamespacePath.isOurs(.pid, config))
        {
            return reason
        }
        if !Policy.mayShowMeminfo(config, wishes: wishes, options: options) {
            return "its /proc/meminfo is the kernel's, and calls are answered as that file is"
        }
        // Who asks for it knows the runtime.
        let isAsked = wishes.sysinfo == true || wishes.affinity == true
        if isAsked || !options.intercepted.isEmpty { return nil }
        return runtime.listenerObjection
    }

    /// Makes sure that the daemon runs an agent: without one the container would not start.
    private static func checkAgent(_ directory: String) throws(PrecreateError) {
        do {
            let reply = try ControlClient(socket: Defaults.controlSocket(in: directory))
                .send(Request(.status))
            guard reply.status?.listeners != nil else {
                throw PrecreateError("lxcfsd takes no notify descriptors on this kernel")
            }
        } catch let error as PrecreateError {
            throw error
        } catch {
            throw PrecreateError("\(error)")
        }
    }
}
