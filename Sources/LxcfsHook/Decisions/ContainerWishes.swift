import Control

/// What a container asks for in the annotations of its config.json.
struct ContainerWishes: Equatable {
    /// Whether it is to be served. Who wants system calls answered, or a time namespace, wants this
    /// too, unless it says otherwise: without the files, the agent leaves the calls to the kernel.
    var isEnabled: Bool?
    var files: [VirtualFile]?
    var cpus: CPUView?
    var attachesUnmasked: Bool?
    var attachesHostPID: Bool?
    /// Whether the agent is to answer sysinfo(2).
    var sysinfo: Bool?
    /// Whether the agent is to answer sched_getaffinity(2).
    var affinity: Bool?
    /// Whether it is to get a time namespace whose boot is its start.
    var time: Bool?
    /// What is wrong with annotations that the hook does not understand, and ignores.
    var faults: [String] = []
    /// Annotations that the administrator does not have honoured.
    var ignored: [String] = []

    static let prefix = "io.lxcfs-hook."

    /// The annotations that mean something.
    static let names = [
        "enable", "unmasked", "host-pid", "sysinfo", "affinity", "time", "files", "cpus",
    ].map { prefix + $0 }

    /// - Parameter honoured: those that count.
    init(_ annotations: [String: String], _ honoured: HonouredAnnotations = .all) {
        func flag(_ key: String, _ value: String) -> Bool? {
            let flag = Self.boolean(value)
            if flag == nil { fault(key, value, "neither true nor false") }
            return flag
        }
        func fault(_ key: String, _ value: String, _ problem: String) {
            faults.append("annotation \(key) = \(value.debugDescription): \(problem)")
        }
        for (key, value) in annotations.sorted(by: { $0.key < $1.key })
        where key.hasPrefix(Self.prefix) {
            if !honoured.include(key) {
                ignored.append(key)
                continue
            }
            switch key.dropFirst(Self.prefix.count) {
            case "enable": isEnabled = flag(key, value)
            case "unmasked": attachesUnmasked = flag(key, value)
            case "host-pid": attachesHostPID = flag(key, value)
            case "sysinfo": sysinfo = flag(key, value)
            case "affinity": affinity = flag(key, value)
            case "time": time = flag(key, value)
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
        if honoured == .additions { keepAdditions() }
        if isEnabled == nil, sysinfo == true || affinity == true || time == true {
            isEnabled = true
        }
    }

    /// Forgets what might leave a container with less than it would get without it.
    private mutating func keepAdditions() {
        func keep(_ name: String, _ wish: inout Bool?, _ ignored: inout [String]) {
            guard wish == false else { return }
            wish = nil
            ignored.append(Self.prefix + name)
        }
        keep("enable", &isEnabled, &ignored)
        keep("unmasked", &attachesUnmasked, &ignored)
        keep("host-pid", &attachesHostPID, &ignored)
        keep("sysinfo", &sysinfo, &ignored)
        keep("affinity", &affinity, &ignored)
        keep("time", &time, &ignored)
        if files != nil { ignored.append(Self.prefix + "files") }
        if cpus != nil { ignored.append(Self.prefix + "cpus") }
        files = nil
        cpus = nil
    }

    private static func boolean(_ word: String) -> Bool? {
        switch word.lowercased() {
        case "true", "1", "yes", "on": true
        case "false", "0", "no", "off": false
        default: nil
        }
    }
}

extension Options {
    /// The administrator's list, or all unless they could undo what is required.
    var honouredAnnotations: HonouredAnnotations {
        allowedAnnotations.map { .listed($0) } ?? (isRequired ? .additions : .all)
    }

    /// What a container asks for, as far as the administrator lets it.
    func wishes(_ annotations: [String: String]?) -> ContainerWishes {
        ContainerWishes(annotations ?? [:], honouredAnnotations)
    }
}
