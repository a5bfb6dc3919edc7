/// What is to be done for a container.
enum Decision: Equatable {
    /// Leave it alone, for this reason.
    case skip(reason: String)
    case attach(Plan)
}
