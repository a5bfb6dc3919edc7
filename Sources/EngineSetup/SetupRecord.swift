import Glibc
import JSON
import Syscalls

/// What `install` has changed for an engine, for `uninstall`: kept in
/// `/var/lib/lxcfs-hook/install/<engine>/` of the root, with each file as it was before and as it
/// was left.
struct SetupRecord: Equatable {
    struct File: Equatable {
        /// As the root sees it.
        let path: String
        /// nil: there was none.
        var before: [UInt8]?
        /// What `install` has made of it.
        var after: [UInt8]?
    }

    var files: [File] = []
    /// The directories that were made for them, outermost first.
    var directories: [String] = []

    static let parent = "/var/lib/lxcfs-hook/install"
    /// Of the form of `record.json`.
    private static let version: Int64 = 1

    static func directory(of engine: String) -> String { "\(parent)/\(engine)" }

    /// - Returns: nil if nothing is installed.
    static func read(_ engine: String, in root: Root) throws(SetupError) -> SetupRecord? {
        let directory = directory(of: engine)
        let path = "\(directory)/record.json"
        guard let bytes = try root.read(path) else { return nil }
        let value: JSONValue
        do {
            value = try JSONText(bytes).root.value()
        } catch {
            throw SetupError("\(root.path)\(path): \(error); see there what was changed")
        }
        guard value.at(["version"]) == .integer(version),
            case .array(let files) = value.at(["files"])
        else {
            throw SetupError(
                "\(root.path)\(path) is another version's; see there what was changed")
        }
        var record = SetupRecord(directories: value.at(["directories"])?.strings ?? [])
        for file in files {
            guard let name = file.at(["path"])?.string else {
                throw SetupError("\(root.path)\(path): a file has no path")
            }
            record.files.append(
                File(
                    path: name,
                    before: try content(file.at(["before"]), directory, root),
                    after: try content(file.at(["after"]), directory, root)))
        }
        return record
    }

    private static func content(
        _ name: JSONValue?, _ directory: String, _ root: Root
    ) throws(SetupError) -> [UInt8]? {
        guard let name = name?.string, !name.contains("/") else { return nil }
        guard let content = try root.read("\(directory)/\(name)") else {
            throw SetupError("\(root.path)\(directory)/\(name) is missing")
        }
        return content
    }

    /// Before the files themselves are changed: whatever happens then, it can be taken back.
    func write(_ engine: String, _ writer: inout FileWriter) throws(SetupError) {
        let directory = Self.directory(of: engine)
        var entries: [JSONValue] = []
        for (number, file) in files.enumerated() {
            let name = file.path.split(separator: "/").last.map(String.init) ?? "file"
            var entry: JSONObject = ["path": .string(file.path)]
            for (kind, content) in [("before", file.before), ("after", file.after)] {
                guard let content else { continue }
                let name = "\(number)-\(name).\(kind)"
                // A configuration may have secrets, as proxies do.
                try writer.write(content, to: "\(directory)/\(name)", mode: 0o600)
                entry[kind] = .string(name)
            }
            entries.append(.object(entry))
        }
        let value = JSONValue.object([
            "version": .integer(Self.version), "files": .array(entries),
            "directories": .array(directories.map(JSONValue.string)),
        ])
        try writer.write(
            value.encoded(pretty: true) + [UInt8(ascii: "\n")],
            to: "\(directory)/record.json", mode: 0o600)
    }

    /// Forgets it, and leaves no empty directory behind.
    static func remove(_ engine: String, in root: Root) throws(SetupError) {
        let directory = directory(of: engine)
        let writer = FileWriter(root)
        // The list last: without it the others are nobody's.
        for name in try root.names(in: directory) where name != "record.json" {
            try writer.remove("\(directory)/\(name)")
        }
        try writer.remove("\(directory)/record.json")
        for path in [directory, parent, "/var/lib/lxcfs-hook"] {
            guard let place = try? root.place(of: path), rmdir(place) == 0 else { return }
        }
    }
}
