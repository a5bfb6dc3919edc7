import Glibc
import Syscalls

/// `lxcfsd holder <keeper> <directory>`: not for people, but what the keeper starts beside the worker.
///
/// It opens the files of the caller tree and then sleeps. All containers with that tree share its
/// inodes, and fcntl(2) grants a lease for writing (`F_WRLCK`) to the only one who has a file open:
/// whoever opens it next waits for 45 seconds. So there is always somebody else who has it open.
/// A process of its own, for the keeper must not ask for what a worker has to answer, nor may one
/// that has the connections open wait for them when it is killed; and it outlives the keeper's
/// program, which is replaced by an upgrade.
enum HolderCommand {
    /// - Parameter arguments: what follows the command's name.
    static func run(_ arguments: ArraySlice<String>) -> Never {
        guard let keeper = arguments.first.flatMap({ pid_t($0) }), let path = arguments.last,
            arguments.count == 2
        else {
            let text = "lxcfsd: error: \"lxcfsd holder\" is for the daemon itself\n"
            // There is nobody else to tell if that fails.
            _ = write(STDERR_FILENO, text, text.utf8.count)
            exit(64)
        }
        do {
            try ChildProcess.dieWithParent()
            // It had died before that.
            if getppid() != keeper { _exit(0) }
            try ChildProcess.setName("lxcfsd-holder")
            // Not the root, with the names of containers.
            for name in ["proc", "sys"] {
                _ = try HeldFiles.open(below: path + "/" + name, limit: limit)
            }
            try Privileges.keepOnly([])
        } catch {
            let text = "lxcfsd: error: holder: \(error)\n"
            _ = write(STDERR_FILENO, text, text.utf8.count)
            exit(1)
        }
        while true { pause() }
    }

    /// A machine with 256 CPUs has some 10,000 files.
    private static let limit: Int32 = 65_536
}
