extension Config {
    /// The namespace entry of this kind; nil if the container shares the runtime's.
    public func namespace(_ kind: Namespace.Kind) -> Namespace? {
        linux?.namespaces?.first { $0.type == kind.rawValue }
    }

    /// Whether a process of the container may get one of these capabilities in the user namespace
    /// of the host. A configuration that does not say is taken to allow them all.
    ///
    /// - Parameter capabilities: as the configuration names them: `CAP_SYS_ADMIN`.
    public func mayHave(_ capabilities: [String]) -> Bool {
        if namespace(.user) != nil { return false }
        guard let sets = process?.capabilities else { return true }
        return [sets.bounding, sets.effective, sets.inheritable, sets.permitted, sets.ambient]
            .contains { set in set?.contains { capabilities.contains($0) } ?? false }
    }

    /// Whether nothing of /proc and /sys is hidden or write-protected: a privileged
    /// container, or Kubernetes' `procMount: Unmasked`.
    public var isProcUnmasked: Bool {
        (linux?.maskedPaths ?? []).isEmpty && (linux?.readonlyPaths ?? []).isEmpty
    }

    /// Whether a mount of the configuration decides what is at `target`, see
    /// ``MountDestinations/cover(_:)``.
    public func mountCovers(_ target: String) -> Bool {
        MountDestinations(self).cover(target)
    }

    /// The root of the container as the runtime sees it; nil if the configuration has none.
    public func rootPath(bundle: String) -> String? {
        guard let path = root?.path else { return nil }
        // Not normalised: the bundle may be a symbolic link, and `..` beyond it is not
        // what it looks like.
        if path.hasPrefix("/") { return path }
        return bundle.hasSuffix("/") ? bundle + path : "\(bundle)/\(path)"
    }
}
