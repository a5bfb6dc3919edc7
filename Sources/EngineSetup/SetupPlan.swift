/// What is to be done to an engine's configuration.
struct SetupPlan: Equatable {
    var changes: [FileChange] = []
    /// What the administrator should know.
    var notes: [String] = []
}
