/// A name that `--files` and the annotation take: one file, or a few that belong together.
public enum VirtualFile: String, CaseIterable, Sendable {
    case cpuinfo, diskstats, loadavg, meminfo, slabinfo, stat, swaps, uptime
    /// `/proc/pressure/{cpu,io,memory}`.
    case pressure
    /// The directory `/sys/devices/system/cpu`.
    case cpu

    var targets: [Target] {
        switch self {
        case .pressure:
            ["cpu", "io", "memory"].map { Target(.proc, parent: "pressure", name: $0) }
        case .cpu: [Target.cpuDirectory]
        default: [Target(.proc, name: rawValue)]
        }
    }

    /// The files in the order of `allCases`, each once.
    static func list(_ files: [VirtualFile]) -> [VirtualFile] {
        allCases.filter(files.contains)
    }

    /// Parses a comma-separated list.
    static func parse(_ list: String) throws(ListError) -> [VirtualFile] {
        var files: [VirtualFile] = []
        for word in list.split(separator: ",") {
            let name = word.trimmed
            if name.isEmpty { continue }
            guard let file = VirtualFile(rawValue: String(name)) else {
                throw .unknownFile(String(name))
            }
            files.append(file)
        }
        if files.isEmpty { throw .empty }
        return Self.list(files)
    }

    enum ListError: Error, Equatable, CustomStringConvertible {
        case unknownFile(String)
        case empty

        var description: String {
            switch self {
            case .unknownFile(let name):
                let names = VirtualFile.allCases.map(\.rawValue).joined(separator: ",")
                return "unknown file \(name.debugDescription), not one of \(names)"
            case .empty: return "the list of files is empty"
            }
        }
    }
}

/// A kernel filesystem whose files are replaced, by its usual place.
enum KernelFilesystem: String, CaseIterable, Sendable {
    case proc, sys

    /// Its place in a container.
    var mountpoint: String { "/" + rawValue }
}

/// A place in a container that a virtual file is mounted on.
struct Target: Hashable, Sendable, CustomStringConvertible {
    let filesystem: KernelFilesystem
    /// The directory relative to the filesystem's root; empty for that root.
    let parent: String
    let name: String

    init(_ filesystem: KernelFilesystem, parent: String = "", name: String) {
        self.filesystem = filesystem
        self.parent = parent
        self.name = name
    }

    /// Absolute in the container, and below the directory of a container tree.
    var path: String { "\(directory)/\(name)" }

    /// Likewise, the directory that it is in.
    var directory: String {
        parent.isEmpty ? filesystem.mountpoint : "\(filesystem.mountpoint)/\(parent)"
    }

    /// Whether a container may write to it: triggers to pressure files.
    var isWritable: Bool { filesystem == .proc && parent == "pressure" }

    var description: String { path }

    static let cpuDirectory = Target(.sys, parent: "devices/system", name: "cpu")
    /// What is replaced instead of the directory if lxcfs does not list it.
    static let cpuOnline = Target(.sys, parent: "devices/system/cpu", name: "online")
}

extension Substring {
    /// Without spaces at both ends.
    var trimmed: Substring {
        let start = drop { $0 == " " || $0 == "\t" }
        guard let end = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else {
            return start.prefix(0)
        }
        return start[...end]
    }
}
