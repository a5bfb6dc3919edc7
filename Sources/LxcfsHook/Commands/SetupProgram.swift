import Glibc
import Syscalls

/// The program beside this one that does what needs to understand configurations of engines.
enum SetupProgram {
    static let name = "lxcfs-hook-setup"

    /// Becomes that program, with the same command line.
    ///
    /// - Returns: only if that cannot be.
    static func become(_ arguments: [String]) -> ExitCode {
        let log = Log(level: .error, syslog: false)
        let path: String
        do {
            // Not what the command line says: the program may have been found in PATH, by a link.
            let own = try resolvePath("/proc/self/exe")
            path = String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)]) + "/" + name
        } catch {
            log.error("\(error) (is /proc mounted?)")
            return .failure
        }
        var words: [UnsafeMutablePointer<CChar>?] =
            ([name] + arguments.dropFirst()).map { strdup($0) }
        words.append(nil)
        execv(path, words)
        let fault = SystemError("run", path, errno: errno)
        for word in words { free(word) }
        log.error(
            "\(fault); it is installed beside lxcfs-hook, and check, install and uninstall need it"
        )
        return .failure
    }
}
