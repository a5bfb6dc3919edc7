import KernelText

/// The cgroups of one process, as `/proc/<pid>/cgroup` lists them (cgroups(7)).
public struct CgroupPaths: Equatable, Sendable {
    /// v1 paths by controller.
    public var legacy: [Controller: String] = [:]
    /// The v2 path.
    public var unified: String?

    public init(legacy: [Controller: String] = [:], unified: String? = nil) {
        self.legacy = legacy
        self.unified = unified
    }

    /// Parses the text of `/proc/<pid>/cgroup`.
    public init(parsing text: Bytes) {
        var lines = Scanner(text)
        while let line = lines.line() {
            // "5:cpu,cpuacct:/path": the path may hold further colons.
            let first = line.firstIndex(of: UInt8(ascii: ":"), from: 0)
            let second = line.firstIndex(of: UInt8(ascii: ":"), from: first + 1)
            guard second < line.count else { continue }
            let names = line.part(first + 1..<second)
            let path = line.part(second + 1..<line.count).string
            if names.isEmpty {
                unified = path
                continue
            }
            for name in names.string.split(separator: ",") {
                if let controller = Controller(rawValue: String(name)) {
                    legacy[controller] = path
                }
            }
        }
    }

    /// The cgroup of the container whose init is in these cgroups: an init like systemd
    /// moves itself into `init.scope` below the cgroup that the runtime made.
    ///
    /// No deeper than ``deepest`` levels: of each level on the way to the root files are read and
    /// kept open, and a container may move itself as deep as it likes.
    public var ofContainer: CgroupPaths {
        func strip(_ path: String) -> String {
            guard path.hasSuffix("/init.scope") else { return Self.limited(path) }
            let parent = path.dropLast("/init.scope".count)
            return parent.isEmpty ? "/" : Self.limited(String(parent))
        }
        return CgroupPaths(
            legacy: legacy.mapValues(strip), unified: unified.map(strip))
    }

    /// Engines make up to a dozen, nested ones twice as many.
    static let deepest = 32

    private static func limited(_ path: String) -> String {
        var levels = 0
        for (index, byte) in zip(path.utf8.indices, path.utf8) where byte == UInt8(ascii: "/") {
            levels += 1
            if levels > deepest { return String(decoding: path.utf8[..<index], as: UTF8.self) }
        }
        return path
    }

    /// Whether each of these cgroups is the same as, or an ancestor of, the one in `other`.
    public func contains(_ other: CgroupPaths) -> Bool {
        func within(_ outer: String, _ inner: String?) -> Bool {
            guard let inner else { return true }
            let rest = inner.utf8.dropFirst(outer.utf8.count)
            return outer == "/"
                || inner.utf8.starts(with: outer.utf8)
                    && (rest.isEmpty || rest.first == UInt8(ascii: "/"))
        }
        for (controller, path) in legacy where !within(path, other.legacy[controller]) {
            return false
        }
        if let unified, !within(unified, other.unified) { return false }
        return true
    }

    /// The path that names the container to people: that of its memory controller.
    public var display: String {
        legacy[.memory] ?? unified ?? legacy[.cpu] ?? "/"
    }
}

extension CgroupPaths {
    /// Whether this is the root of every hierarchy: the cgroups of the host itself.
    public var isRoot: Bool {
        legacy.values.allSatisfy { $0 == "/" } && (unified ?? "/") == "/"
    }
}
