import Control

/// What a container asks for in the annotations of its config.json.
struct ContainerWishes: Equatable {
    var isEnabled: Bool?
    var files: [VirtualFile]?
    var cpus: CPUView?
    var attachesUnmasked: Bool?
    /// Annotations that were not understood, and are ignored.
    var faults: [String] = []

    static let prefix = "io.lxcfs-hook."

    init(_ annotations: [String: String]) {
        func fault(_ key: String, _ value: String, _ problem: String) {
            faults.append("annotation \(key) = \(value.debugDescription): \(problem)")
        }
        for (key, value) in annotations.sorted(by: { $0.key < $1.key })
        where key.hasPrefix(Self.prefix) {
            switch key.dropFirst(Self.prefix.count) {
            case "enable":
                isEnabled = Self.boolean(value)
                if isEnabled == nil { fault(key, value, "neither true nor false") }
            case "unmasked":
                attachesUnmasked = Self.boolean(value)
                if attachesUnmasked == nil { fault(key, value, "neither true nor false") }
            case "files":
                do {
                    files = try VirtualFile.parse(value)
                } catch {
                    fault(key, value, "\(error)")
                }
            case "cpus":
                cpus = CPUView(rawValue: value)
                if cpus == nil { fault(key, value, "neither quota nor cpuset") }
            default:
                fault(key, value, "no such setting")
            }
        }
    }

    private static func boolean(_ word: String) -> Bool? {
        switch word.lowercased() {
        case "true", "1", "yes", "on": true
        case "false", "0", "no", "off": false
        default: nil
        }
    }
}
