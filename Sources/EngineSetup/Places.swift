import Glibc
import LxcfsHook
import Syscalls

/// Where the programs are that engines are told of.
enum Places {
    /// What runtimes and handlers of ours are called.
    static let runtimeName = "lxcfs"

    /// `lxcfs-runtime`, by the name under which it runs the engine's own runtime.
    ///
    /// - Parameter real: name or path of the engine's own runtime; nil for runc.
    static func runtime(_ request: SetupRequest, for real: String?, _ root: Root) -> String {
        if let path = request.runtimePath { return path }
        let usual = "/usr/bin/lxcfs-runtime"
        let crun = "/usr/bin/lxcfs-crun"
        return name(real) == "crun" && root.hasFile(crun) ? crun : usual
    }

    /// What there is to say of a real runtime that `lxcfs-runtime` does not find by itself.
    static func hidden(_ real: String?, _ program: String) -> [String] {
        guard let real else { return [] }
        let directory = real.split(separator: "/").dropLast().joined(separator: "/")
        let isInPath =
            !real.hasPrefix("/")
            || ["usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"]
                .contains(directory)
        let isFound =
            isInPath && (name(real) == "runc" || program.hasSuffix("-\(name(real))"))
        return isFound || name(real).hasPrefix("lxcfs-")
            ? []
            : [
                """
                until now the engine runs \(real): have lxcfs-runtime run it, too, by \
                {"runtime": "\(real)"} in /etc/lxcfs-hook/runtime.json
                """
            ]
    }

    private static func name(_ path: String?) -> Substring {
        path?.split(separator: "/").last ?? "runc"
    }

    /// The hook beside this program, if this machine is to be set up.
    static func hook(_ request: SetupRequest) -> String {
        let usual = "/usr/libexec/oci/lxcfs-hook"
        if let path = request.hookPath { return path }
        guard Root(request.root).isThisMachine, let own = try? resolvePath("/proc/self/exe"),
            let slash = own.lastIndex(of: "/")
        else { return usual }
        let beside = own[..<slash] + "/lxcfs-hook"
        return access(String(beside), X_OK) == 0 ? String(beside) : usual
    }

    /// What there is to say if a program is not there.
    static func missing(
        _ program: String, _ root: Root, _ result: String = "no container starts with it"
    ) -> [String] {
        root.hasFile(program)
            ? [] : ["\(root.path)\(program) is not there; until it is, \(result)"]
    }

    /// Whether one of these programs is in a usual directory.
    static func has(_ programs: [String], _ root: Root) -> Bool {
        programs.contains { program in
            ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/bin", "/sbin"]
                .contains { root.hasFile("\($0)/\(program)") }
        }
    }
}
