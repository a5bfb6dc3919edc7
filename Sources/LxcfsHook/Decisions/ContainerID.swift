/// Names of containers, which become names of directories.
enum ContainerID {
    /// Why `id` cannot name a directory; nil if it can.
    static func fault(_ id: String) -> String? {
        if id.isEmpty { return "the container id is empty" }
        if id.utf8.count > 255 { return "the container id is longer than 255 bytes" }
        if id == "." || id == ".." { return "the container id is \(id.debugDescription)" }
        if id.utf8.contains(UInt8(ascii: "/")) {
            return "the container id \(id.debugDescription) has a slash"
        }
        return nil
    }

    /// The id of a running container, as the names of its cgroups tell it; nil if they do not.
    ///
    /// The systemd cgroup driver makes `docker-<id>.scope`, the other one a directory
    /// `<id>`. Runtimes nest further: crun's `container`, systemd's `init.scope`.
    ///
    /// - Parameter cgroups: `/proc/<pid>/cgroup` (cgroups(7)).
    static func fromCgroups(_ cgroups: String) -> String? {
        let paths = cgroups.split(separator: "\n").compactMap { line in
            line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
                .dropFirst(2).first
        }
        let names = paths.map { $0.split(separator: "/").map(bareName) }
        // A name that looks like an id made by an engine is better than any other name; below the
        // first one, the container may have given it.
        for path in names {
            if let id = path.first(where: isEngineID) { return id }
        }
        return names.lazy.compactMap(\.last).first { fault($0) == nil }
    }

    /// Whether an engine gives such a name to the cgroup of a container.
    static func isEngines(_ component: Substring) -> Bool { isEngineID(bareName(component)) }

    private static func bareName(_ component: Substring) -> String {
        var name = component
        if name.hasSuffix(".scope") { name = name.dropLast(".scope".count) }
        for prefix in ["docker-", "libpod-", "cri-containerd-", "crio-"]
        where name.hasPrefix(prefix) {
            return String(name.dropFirst(prefix.count))
        }
        return String(name)
    }

    private static func isEngineID(_ name: String) -> Bool {
        name.utf8.count == 64
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            }
    }
}
