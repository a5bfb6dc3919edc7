/// The stages of runtime.md#lifecycle at which the hook can run.
enum Stage: String, CaseIterable, Sendable {
    /// At the same moment as `createRuntime`; deprecated by the specification.
    case prestart
    case createRuntime
    case poststop
    /// One of the others, by what the state says: for a hooks.d file, which has one list of
    /// arguments for all stages.
    case auto
}
