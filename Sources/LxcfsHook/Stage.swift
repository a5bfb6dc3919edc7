/// The stages of runtime.md#lifecycle at which the hook can run.
enum Stage: String, CaseIterable, Sendable {
    /// At the same moment as `createRuntime`; deprecated by the specification.
    case prestart
    case createRuntime
    case poststop
    /// `createRuntime` or `poststop`, depending on the container's status. For hooks.d files,
    /// which have one list of arguments for all stages.
    case auto

    /// Whether a word of a command line is one with which a runtime or an engine would start a hook.
    static func isOfSpecification(_ word: String) -> Bool {
        Stage(rawValue: word) != nil
            || ["precreate", "createContainer", "startContainer", "poststart"].contains(word)
    }
}
