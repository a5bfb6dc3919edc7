import Glibc
import Syscalls

/// Which hooks directories podman is told of (containers.conf(5)).
struct PodmanConfiguration {
    /// The lines of all files that are no comments.
    private let lines: [Substring]

    /// Where podman as root looks.
    static let usual = [
        "/usr/share/containers/containers.conf", "/etc/containers/containers.conf",
        "/etc/containers/containers.conf.d",
    ]

    /// - Parameter paths: files, and directories in which files end in `.conf`. What cannot be read
    ///   says nothing.
    init(paths: [String] = usual) {
        lines = paths.flatMap(Self.files).flatMap { path in
            let content = (try? readFile(path, limit: 1 << 20)) ?? []
            return String(decoding: content, as: UTF8.self).split(separator: "\n")
                .filter { !($0.trimmed.hasPrefix("#")) }
        }
    }

    /// Whether a directory stands there in quotes. Nothing but `hooks_dir` would name one of hooks.
    func names(_ directory: String) -> Bool {
        lines.contains { $0.contains("\"\(directory)\"") || $0.contains("'\(directory)'") }
    }

    /// `runtime`: name or path of the default one; the last file that sets it counts.
    var runtime: String? {
        lines.last { Self.key($0) == "runtime" }.flatMap { Self.quoted($0).first }
            .map(String.init)
    }

    /// The paths that the table of runtimes has for a name.
    func paths(ofRuntime name: String) -> [String] {
        guard let start = lines.lastIndex(where: { Self.key($0) == name }) else { return [] }
        var paths: [String] = []
        for line in lines[start...] {
            paths += Self.quoted(line).filter { $0.hasPrefix("/") }.map(String.init)
            if line.contains("]") { break }
        }
        return paths
    }

    private static func key(_ line: Substring) -> String? {
        let parts = line.split(separator: "=", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        return String(parts[0].trimmed.filter { $0 != "\"" })
    }

    /// What stands in quotes.
    private static func quoted(_ line: Substring) -> [Substring] {
        let quote: Character = line.contains("\"") ? "\"" : "'"
        let parts = line.split(separator: quote, omittingEmptySubsequences: false)
        return parts.indices.filter { !$0.isMultiple(of: 2) }.map { parts[$0] }
    }

    private static func files(_ path: String) -> [String] {
        guard let directory = try? FileDescriptor.open(path, O_RDONLY | O_DIRECTORY),
            let items = try? directory.list()
        else { return [path] }
        return items.map(\.name).filter { $0.hasSuffix(".conf") }.map { "\(path)/\($0)" }
    }
}
