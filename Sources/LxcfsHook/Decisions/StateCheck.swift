import OCISpec

/// Checks what a stage needs of the state beyond what makes it a state.
enum StateCheck {
    static func id(_ state: State) throws(InputError) -> String {
        if let fault = ContainerID.fault(state.id) {
            throw InputError(description: "state: id: \(fault)")
        }
        return state.id
    }

    static func pid(_ state: State) throws(InputError) -> Int32 {
        guard let pid = state.pid else { throw InputError(description: "state: pid: missing") }
        guard pid > 0 else {
            throw InputError(
                description: "state: pid: \(pid) is not a process of the host's pid namespace")
        }
        return pid
    }

    static func bundle(_ state: State) throws(InputError) -> String {
        guard state.bundle.hasPrefix("/") else {
            throw InputError(
                description: "state: bundle: \(state.bundle.debugDescription) is not absolute")
        }
        return state.bundle
    }

    /// The stage that `auto` stands for.
    static func stage(_ status: State.Status) -> Stage {
        status == .stopped ? .poststop : .createRuntime
    }
}
