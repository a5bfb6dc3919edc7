import Glibc
import Syscalls

/// The descriptors that a service manager hands over at the start (sd_listen_fds(3)); systemd
/// hands back what was stored with `FDSTORE=1`.
enum ServiceManager {
    /// By name; of several with one name the last counts. Only for the process that they were
    /// meant for, and only once: the variables are removed.
    static func takeStoredDescriptors() -> [String: HeldDescriptor] {
        let names = [handover, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]
        defer { for name in names { unsetenv(name) } }
        if let list = variable(handover) { return takeHandedOver(list) }
        guard variable("LISTEN_PID").flatMap({ pid_t($0) }) == getpid(),
            let count = variable("LISTEN_FDS").flatMap({ CInt($0) }), count > 0, count < 65536
        else { return [:] }
        let given = (variable("LISTEN_FDNAMES") ?? "").split(
            separator: ":", omittingEmptySubsequences: false)
        var result: [String: HeldDescriptor] = [:]
        for index in 0..<count {
            let number = ChildProcess.firstDescriptor + index
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
            guard Int(index) < given.count else { continue }
            result[String(given[Int(index)])] = HeldDescriptor(FileDescriptor(owning: number))
        }
        return result
    }

    static func store(_ descriptor: CInt, _ name: String) throws(SystemError) {
        try notifyServiceManager("FDSTORE=1\nFDNAME=\(name)", descriptors: [descriptor])
    }

    static func drop(_ name: String) throws(SystemError) {
        try notifyServiceManager("FDSTOREREMOVE=1\nFDNAME=\(name)")
    }

    private static let handover = "LXCFSD_HANDOVER"

    /// Whether the descriptors come from ``execute(_:_:handingOver:)``. Until they are taken.
    static var hasHandedOver: Bool { variable(handover) != nil }

    /// Executes a program in the place of this one, which finds the descriptors as if a
    /// service manager had stored them (execve(2)).
    ///
    /// - Returns: why that failed.
    static func execute(
        _ path: String, _ arguments: [String], handingOver items: [StoredItem]
    ) -> SystemError {
        for item in items { _ = fcntl(item.number, F_SETFD, 0) }
        let list = items.map { "\($0.name)=\($0.number)" }
        setenv(handover, list.joined(separator: ":"), 1)
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        words.append(nil)
        execv(path, words)
        let code = errno
        for word in words { free(word) }
        unsetenv(handover)
        for item in items { _ = fcntl(item.number, F_SETFD, FD_CLOEXEC) }
        return SystemError("execute", path, errno: code)
    }

    private static func takeHandedOver(_ list: String) -> [String: HeldDescriptor] {
        var result: [String: HeldDescriptor] = [:]
        var taken: Set<CInt> = []
        for item in list.split(separator: ":") {
            let parts = item.split(separator: "=")
            // Two owners would close it twice, the second time somebody else's.
            guard parts.count == 2, let number = CInt(parts[1]),
                fcntl(number, F_SETFD, FD_CLOEXEC) == 0, taken.insert(number).inserted
            else { continue }
            result[String(parts[0])] = HeldDescriptor(FileDescriptor(owning: number))
        }
        return result
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
