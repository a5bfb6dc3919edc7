import Glibc
import Syscalls

/// The descriptors that a service manager hands over at the start (sd_listen_fds(3)); systemd
/// hands back what was stored with `FDSTORE=1`.
enum ServiceManager {
    /// By name; of several with one name the last counts. Only for the process that they were
    /// meant for, and only once: the variables are removed.
    static func takeStoredDescriptors() -> [String: CInt] {
        defer { for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) } }
        guard variable("LISTEN_PID").flatMap({ pid_t($0) }) == getpid(),
            let count = variable("LISTEN_FDS").flatMap({ CInt($0) }), count > 0, count < 65536
        else { return [:] }
        let names = (variable("LISTEN_FDNAMES") ?? "").split(
            separator: ":", omittingEmptySubsequences: false)
        var result: [String: CInt] = [:]
        for index in 0..<count {
            let number = ChildProcess.firstDescriptor + index
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
            guard Int(index) < names.count else { continue }
            let name = String(names[Int(index)])
            if let former = result[name] { close(former) }
            result[name] = number
        }
        return result
    }

    static func store(_ descriptor: CInt, _ name: String) throws(SystemError) {
        try notifyServiceManager("FDSTORE=1\nFDNAME=\(name)", descriptors: [descriptor])
    }

    static func drop(_ name: String) throws(SystemError) {
        try notifyServiceManager("FDSTOREREMOVE=1\nFDNAME=\(name)")
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
