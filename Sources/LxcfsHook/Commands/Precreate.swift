import Control
import Glibc
import OCISpec
import Syscalls

/// podman's `precreate` stage: config.json in, config.json out (oci-hooks(5)).
///
/// Changes the seccomp section of containers whose system calls the agent is to answer. The
/// configuration of all others comes out as it went in, byte for byte.
struct Precreate {
    let options: Options
    var log: Log

    func run() -> ExitCode {
        let input: [UInt8]
        do {
            input = try FileDescriptor(owning: STDIN_FILENO).readToEnd(
                limit: Self.sizeLimit, path: "config.json on stdin")
        } catch {
            log.error(error.description)
            return .badInput
        }
        let output: [UInt8]
        do {
            output = try changed(input) ?? input
        } catch let error as DocumentError {
            let isFatal = options.isRequired || error.isNoJSON
            log.log(isFatal ? .error : .warning, "system calls are not answered: \(error)")
            if isFatal { return .badInput }
            output = input
        } catch {
            log.log(options.faultLevel, "system calls are not answered: \(error)")
            if options.isRequired { return .failure }
            output = input
        }
        do {
            try FileDescriptor(owning: STDOUT_FILENO).write(
                output, path: "config.json to stdout")
            return .success
        } catch {
            log.error(error.description)
            return .failure
        }
    }

    /// Bytes that are passed on. More than are looked at: what the engine can start a container
    /// with is not to fail here.
    private static let sizeLimit = 1 << 30

    /// - Returns: nil if nothing is to be changed.
    /// - Throws: `DocumentError` for a config.json that makes no sense, `InterceptionError`
    ///   if it cannot be changed as it should be.
    private func changed(_ input: [UInt8]) throws -> [UInt8]? {
        if options.intercepted.isEmpty, !Self.mentionsAnnotations(input) { return nil }
        guard input.count <= Config.sizeLimit else {
            throw InterceptionError("config.json has more than \(Config.sizeLimit) bytes")
        }
        var config = try Config(json: input)
        let wishes = ContainerWishes(config.annotations ?? [:])
        for fault in wishes.faults { log.log(options.faultLevel, fault) }
        let calls = InterceptedSet(options.intercepted, wishes)
        if wishes.isEnabled == false || calls.isEmpty { return nil }
        // It gets no files. The agent would leave its calls to the kernel, which takes longer.
        if config.namespace(.pid) == nil, !(wishes.attachesHostPID ?? options.attachesHostPID) {
            log.info("left alone: it is in the host's pid namespace; see --host-pid")
            return nil
        }
        guard case .daemon(let directory) = options.origin else {
            throw InterceptionError("lxcfs has no agent for them")
        }
        try Self.checkAgent(directory)
        let interception = Interception(
            listenerPath: Defaults.seccompSocket(in: directory), calls: calls.names)
        let outcome = interception.applied(to: config.linux?.seccomp)
        if !outcome.objections.isEmpty, options.isRequired {
            throw InterceptionError(outcome.objections.joined(separator: "; "))
        }
        for objection in outcome.objections {
            log.info("seccomp profile left alone: \(objection)")
        }
        guard let profile = outcome.profile else { return nil }
        if config.linux == nil { config.linux = Linux() }
        config.linux?.seccomp = profile
        return try config.encoded()
    }

    /// Makes sure that the daemon runs an agent: without one the container would not start.
    private static func checkAgent(_ directory: String) throws {
        let reply = try ControlClient(socket: Defaults.controlSocket(in: directory))
            .send(Request(.status))
        guard reply.status?.listeners != nil else {
            throw InterceptionError("lxcfsd takes no notify descriptors on this kernel")
        }
    }

    private static func mentionsAnnotations(_ input: [UInt8]) -> Bool {
        String(decoding: input, as: UTF8.self).contains(ContainerWishes.prefix)
    }
}
