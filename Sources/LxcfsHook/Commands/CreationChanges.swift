import OCISpec

/// What a container's configuration gets before the runtime reads it: a time namespace, and lxcfsd as
/// the agent for its system calls.
struct CreationChanges {
    let options: Options
    let wishes: ContainerWishes
    let runtime: RuntimeChoice
    let log: Log

    /// - Returns: what has been added.
    /// - Throws: what cannot be done, if it is required.
    func apply(to config: inout Config) throws(PrecreateError) -> (time: Bool, calls: Bool) {
        let time = try attempt("no time namespace") { () throws(PrecreateError) in
            try OwnTime(options: options, wishes: wishes, runtime: runtime, log: log)
                .add(to: &config)
        }
        let calls = try attempt("system calls are not answered") {
            () throws(PrecreateError) in
            try AnsweredCalls(options: options, wishes: wishes, runtime: runtime, log: log)
                .add(to: &config)
        }
        return (time, calls)
    }

    /// What cannot be done does not keep the rest from being done, unless it is required.
    private func attempt(
        _ what: String, _ change: () throws(PrecreateError) -> Bool
    ) throws(PrecreateError) -> Bool {
        do {
            return try change()
        } catch {
            if options.isRequired { throw PrecreateError("\(what): \(error)") }
            log.warning("\(what): \(error)")
            return false
        }
    }
}
