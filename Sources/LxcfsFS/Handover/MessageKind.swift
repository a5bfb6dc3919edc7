/// The words that say what a message between keeper and worker is.
enum MessageKind: String {
    /// See ``ToKeeper``.
    case ready, serving, answer
    /// See ``ToWorker``.
    case serve, finish, ask
    /// In both directions.
    case keep, forget
}
