import Glibc
import OCISpec
import Syscalls

/// podman's `precreate` stage: config.json in, config.json out (oci-hooks(5)).
///
/// Has the system calls of containers that are served answered, and gives those that want one a
/// time namespace. The configuration of all others comes out as it went in, byte for byte.
struct Precreate {
    let options: Options
    var log: Log

    /// - Parameter output: gets the configuration if it has been changed.
    func run(_ input: [UInt8], output: ([UInt8]) -> Void) -> ExitCode {
        log.note(.deciding)
        do {
            if let changed = try changed(input) { output(changed) }
        } catch let error as DocumentError {
            let isFatal = options.isRequired || error.isNoJSON
            log.log(isFatal ? .error : .warning, "config.json is left as it is: \(error)")
            if isFatal { return .badInput }
        } catch {
            log.log(options.faultLevel, "config.json is left as it is: \(error)")
            if options.isRequired { return .failure }
        }
        return .success
    }

    static func read() throws(SystemError) -> [UInt8] {
        try FileDescriptor(owning: STDIN_FILENO).readToEnd(
            limit: sizeLimit, path: "config.json on stdin")
    }

    static func write(_ output: [UInt8]) throws(SystemError) {
        try FileDescriptor(owning: STDOUT_FILENO).write(output, path: "config.json to stdout")
    }

    /// Bytes that are passed on. More than are looked at: what the engine can start a container
    /// with is not to fail here.
    private static let sizeLimit = 1 << 30

    /// - Returns: nil if nothing is to be changed.
    /// - Throws: `DocumentError` for a config.json that makes no sense; `PrecreateError` if it
    ///   cannot be changed as it should be, and that is required.
    private func changed(_ input: [UInt8]) throws -> [UInt8]? {
        guard input.count <= Config.sizeLimit else {
            throw PrecreateError("it has more than \(Config.sizeLimit) bytes")
        }
        var config = try Config(json: input)
        let wishes = options.wishes(config.annotations)
        for fault in wishes.faults { log.log(options.faultLevel, fault) }
        if wishes.isEnabled == false { return nil }
        let added = try CreationChanges(
            options: options, wishes: wishes, runtime: .find(options), log: log
        ).apply(to: &config)
        return added.time || added.calls ? try config.encoded() : nil
    }
}
