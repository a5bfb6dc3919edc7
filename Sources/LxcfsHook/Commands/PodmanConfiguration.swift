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

    private static func files(_ path: String) -> [String] {
        guard let directory = try? FileDescriptor.open(path, O_RDONLY | O_DIRECTORY),
            let items = try? directory.list()
        else { return [path] }
        return items.map(\.name).filter { $0.hasSuffix(".conf") }.map { "\(path)/\($0)" }
    }
}
