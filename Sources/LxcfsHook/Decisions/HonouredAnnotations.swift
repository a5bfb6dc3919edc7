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

extension Options {
    /// The administrator's list, or all unless they could undo what is required.
    var honouredAnnotations: HonouredAnnotations {
        allowedAnnotations.map { .listed($0) } ?? (isRequired ? .additions : .all)
    }

    /// What a container asks for, as far as the administrator lets it.
    func wishes(_ annotations: [String: String]?) -> ContainerWishes {
        ContainerWishes(annotations ?? [:], honouredAnnotations)
    }
}
