extension Config {
    /// The namespace entry of this kind; nil if the container shares the runtime's.
    public func namespace(_ kind: Namespace.Kind) -> Namespace? {
        linux?.namespaces?.first { $0.type == kind.rawValue }
    }

    /// Whether nothing of /proc and /sys is hidden or write-protected: a privileged
    /// container, or Kubernetes' `procMount: Unmasked`.
    public var isProcUnmasked: Bool {
        (linux?.maskedPaths ?? []).isEmpty && (linux?.readonlyPaths ?? []).isEmpty
    }

    /// Whether a mount of the configuration decides what is at `target`, a path below a file
    /// system such as /proc: it is mounted there, on a directory on the way from that file
    /// system to it, or below it.
    ///
    /// The comparison is lexical: a symbolic link in the container is not followed, because
    /// only the runtime, which makes the mounts, knows where it leads.
    public func mountCovers(_ target: String) -> Bool {
        let target = Self.components(target)
        return (mounts ?? []).contains { mount in
            let mounted = Self.components(mount.destination)
            return mounted.starts(with: target)
                || (mounted.count > 1 && target.starts(with: mounted))
        }
    }

    /// The root of the container as the runtime sees it; nil if the configuration has none.
    public func rootPath(bundle: String) -> String? {
        guard let path = root?.path else { return nil }
        // Not normalised: the bundle may be a symbolic link, and `..` beyond it is not
        // what it looks like.
        if path.hasPrefix("/") { return path }
        return bundle.hasSuffix("/") ? bundle + path : "\(bundle)/\(path)"
    }

    private static func components(_ path: String) -> [Substring] {
        path.split(separator: "/").reduce(into: []) { components, component in
            switch component {
            case ".": break
            case "..": _ = components.popLast()
            default: components.append(component)
            }
        }
    }
}
