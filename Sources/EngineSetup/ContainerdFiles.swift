import JSON

/// containerd's configuration: a file, and those that it imports.
struct ContainerdFiles {
    struct File {
        /// As the root sees it.
        let path: String
        let bytes: [UInt8]
        let value: JSONValue

        /// 1 where none is said.
        var version: Int {
            guard case .integer(let version) = value.at(["version"]) else { return 1 }
            return Int(clamping: version)
        }
        /// What is said of the plugin that starts containers for Kubernetes.
        var section: JSONValue? {
            value.at(ContainerdFiles.section(version))
        }
    }

    /// What `install` makes where a directory is imported. Of several files that say the same, the
    /// last one counts.
    static let dropIn = "99-lxcfs.toml"

    let main: File
    /// Of the main file, its imports included, in the order in which containerd reads them. Not the
    /// one that `install` has made.
    let files: [File]
    /// That one.
    let own: File?
    /// Where `install` may make it.
    let ownPath: String?

    /// The keys that lead to the plugin's section in a file of a version.
    static func section(_ version: Int) -> [String] {
        switch version {
        case ...1: ["plugins", "cri"]
        case 2: ["plugins", "io.containerd.grpc.v1.cri"]
        default: ["plugins", "io.containerd.cri.v1.runtime"]
        }
    }

    /// - Parameter path: the main file. One that is missing is empty.
    init(_ path: String, in root: Root) throws(SetupError) {
        var files: [File] = []
        var own: File?
        var ownPath: String?
        var pending = [path]
        while !pending.isEmpty, files.count < 1000 {
            let path = pending.removeFirst()
            if files.contains(where: { $0.path == path }) { continue }
            let bytes = try root.read(path)
            if bytes == nil, !files.isEmpty { continue }
            let value = try TOMLText.parse(bytes ?? [], path: root.path + path)
            let file = File(path: path, bytes: bytes ?? [], value: .object(value))
            if path.hasSuffix("/" + Self.dropIn), OwnLines.isOwnFile(file.bytes) {
                own = file
                continue
            }
            files.append(file)
            let slash = path.lastIndex(of: "/") ?? path.startIndex
            for text in file.value.at(["imports"])?.strings ?? [] {
                let pattern = ImportPattern(text, in: String(path[..<slash]))
                if pattern.takes(Self.dropIn), text.contains("*"), ownPath == nil {
                    ownPath = pattern.directory + "/" + Self.dropIn
                }
                pending += try pattern.files(in: root)
            }
        }
        main = files[0]
        self.files = files
        self.own = own
        self.ownPath = own?.path ?? ownPath
    }

    /// What containerd makes of it all. containerd 2, whose files are of version 3, merges sections
    /// key by key; of others the last section counts alone.
    var section: JSONValue {
        let all = (files + (own.map { [$0] } ?? [])).compactMap(\.section)
        guard main.version >= 3 else { return all.last ?? .object([:]) }
        return all.reduce(JSONValue.object([:])) { $0.merged(with: $1) }
    }

    /// The file in which something has to stand in order to count; nil for a new one of ours.
    var place: File? {
        if main.version >= 3 { return ownPath == nil ? main : nil }
        if let last = files.last(where: { $0.section != nil }) { return last }
        return ownPath == nil ? main : nil
    }
}
