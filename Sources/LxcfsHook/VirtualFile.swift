/// A name that `--files` and the annotation take: one file, or a few that belong together.
enum VirtualFile: String, CaseIterable, Sendable {
    case cpuinfo, diskstats, loadavg, meminfo, slabinfo, stat, swaps, uptime, vmstat
    /// `/proc/pressure/{cpu,io,memory}`.
    case pressure
    /// The directory `/sys/devices/system/cpu`.
    case cpu
    /// The directory `/sys/devices/system/node`.
    case node
    /// `stat` and `inflight` of each block device below `/sys`.
    case disks

    /// Where they are; of ``disks`` only the machine knows, see ``BlockDevices``.
    fileprivate var targets: [Target] {
        switch self {
        case .pressure:
            ["cpu", "io", "memory"].map { Target(.proc, parent: "pressure", name: $0) }
        case .cpu: [Target.cpuDirectory]
        case .node: [Target(.sys, parent: "devices/system", name: "node")]
        case .disks: []
        default: [Target(.proc, name: rawValue)]
        }
    }

    /// Parses a comma-separated list.
    ///
    /// - Returns: the files in the order of `allCases`, each once.
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
        return allCases.filter(files.contains)
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

extension [VirtualFile] {
    /// Where all of them are.
    ///
    /// - Parameter disks: those of ``VirtualFile/disks``, asked for only if they are in the list.
    func targets(disks: () -> [Target]) -> [Target] {
        flatMap { $0 == .disks ? disks() : $0.targets }
    }
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
