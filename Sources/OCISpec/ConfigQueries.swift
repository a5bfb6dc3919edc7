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

/// Where a configuration mounts something.
///
/// Comparisons are lexical: a symbolic link in the container is not followed, because only
/// the runtime, which makes the mounts, knows where it leads.
public struct MountDestinations {
    private let all: [[Substring.UTF8View]]

    public init(_ config: Config) {
        all = (config.mounts ?? []).map { Self.components($0.destination) }
    }

    /// Whether something is mounted exactly at a directory of the root.
    public func include(_ mountpoint: String) -> Bool {
        let wanted = mountpoint.utf8.dropFirst()
        return all.contains { $0.count == 1 && $0[0].elementsEqual(wanted) }
    }

    /// Whether a mount decides what is at `target`, a path below a file system such as /proc:
    /// it is mounted there, on a directory on the way from that file system to it, or below
    /// it.
    public func cover(_ target: String) -> Bool {
        let target = Self.components(target)
        return all.contains { mounted in
            guard mounted.count > 1 || mounted.count >= target.count else { return false }
            return zip(mounted, target).allSatisfy { $0.elementsEqual($1) }
        }
    }

    private static func components(_ path: String) -> [Substring.UTF8View] {
        var components: [Substring.UTF8View] = []
        var rest = path[...].utf8
        while let start = rest.firstIndex(where: { $0 != UInt8(ascii: "/") }) {
            let component = rest[start...].prefix { $0 != UInt8(ascii: "/") }
            rest = rest[component.endIndex...]
            if component.elementsEqual(".".utf8) { continue }
            if component.elementsEqual("..".utf8) {
                _ = components.popLast()
            } else {
                components.append(component)
            }
        }
        return components
    }
}
