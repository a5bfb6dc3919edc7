import Glibc
import LxcfsHook
import Syscalls

/// Where the programs are that engines are told of.
enum Places {
    /// What runtimes and handlers of ours are called.
    static let runtimeName = "lxcfs"

    static func runtime(_ request: SetupRequest) -> String {
        request.runtimePath ?? "/usr/bin/lxcfs-runtime"
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
