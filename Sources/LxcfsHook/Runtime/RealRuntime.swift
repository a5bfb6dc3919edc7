import Glibc

/// The runtime that does the work.
struct RealRuntime: Equatable {
    /// Absolute.
    let path: String
    /// Its argument zero: as it was named.
    let name: String

    enum Fault: Error, Equatable, CustomStringConvertible {
        case missing(String)
        /// It would only start itself.
        case circle(String)

        var description: String {
            switch self {
            case .missing(let text), .circle(let text): text
            }
        }
    }

    /// crun's options are not those of runc and others.
    var isCrun: Bool { path.split(separator: "/").last == "crun" }

    private static let usualPath =
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Finds it: by the configuration, else by the name under which this program is called, else
    /// runc or crun in the path.
    ///
    /// - Parameters:
    ///   - configured: name or absolute path.
    ///   - ownName: argument zero.
    ///   - searchPath: the variable PATH.
    ///   - isOurs: see ``RuntimeMark/isOurs(_:)``.
    static func find(
        configured: String?, ownName: String, searchPath: String?, isOurs: (String) -> Bool
    ) throws(Fault) -> RealRuntime {
        if let configured, configured.hasPrefix("/") {
            guard isProgram(configured) else {
                throw .missing(
                    "the runtime \(configured), which \(RuntimeConfigurationFile.path) names, is "
                        + "no program that can be run: \(errnoText)")
            }
            if isOurs(configured) {
                throw .circle(
                    "the runtime \(configured), which \(RuntimeConfigurationFile.path) names, is "
                        + "lxcfs-runtime itself: name runc or crun there")
            }
            return RealRuntime(path: configured, name: configured)
        }
        let names: [String]
        if let configured {
            names = [configured]
        } else {
            switch ownName.split(separator: "/").last {
            case "lxcfs-runc": names = ["runc"]
            case "lxcfs-crun": names = ["crun"]
            default: names = ["runc", "crun"]
            }
        }
        let list = searchPath ?? ""
        let directories = (list.isEmpty ? usualPath : list).split(separator: ":")
            // What lies in the bundle is not to be run.
            .filter { $0.hasPrefix("/") }
        var circle: String?
        for name in names {
            for directory in directories {
                let path = directory.hasSuffix("/") ? directory + name : "\(directory)/\(name)"
                guard isProgram(path) else { continue }
                if !isOurs(path) { return RealRuntime(path: path, name: name) }
                circle = circle ?? path
            }
        }
        let wanted = names.joined(separator: " or ")
        if let circle {
            throw .circle(
                "the only \(wanted) in the path, \(circle), is lxcfs-runtime itself: install "
                    + "\(wanted), or name it in \(RuntimeConfigurationFile.path)")
        }
        throw .missing(
            "there is no \(wanted) in the path: install it, or name it in "
                + RuntimeConfigurationFile.path)
    }

    private static func isProgram(_ path: String) -> Bool {
        var status = stat()
        guard access(path, X_OK) == 0, stat(path, &status) == 0 else { return false }
        if status.st_mode & S_IFMT == S_IFREG { return true }
        errno = EACCES
        return false
    }

    private static var errnoText: String { String(cString: strerror(errno)) }
}
