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
