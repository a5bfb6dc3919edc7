/// Which annotations of a container count: the administrator's choice.
enum HonouredAnnotations: Equatable, Sendable {
    case all
    /// What is required cannot be undone: of those that may leave a container with less, none
    /// counts.
    case additions
    /// Those that the administrator's policy names.
    case listed([String])

    func include(_ annotation: String) -> Bool {
        guard case .listed(let names) = self else { return true }
        return names.contains(annotation)
    }
}
