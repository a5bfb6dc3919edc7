extension NodeKind {
    /// What an entry of a catalog is.
    init(_ kind: CPUCatalog.Kind) {
        switch kind {
        case .directory: self = .directory
        case .file: self = .file(mode: 0o444)
        case .link(let target): self = .link(target: target)
        }
    }
}
