import Glibc
import Syscalls

/// `lxcfsd holder <directory>`: not for people, but what the keeper starts beside the worker.
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
        guard let path = arguments.first, arguments.count == 1 else {
            let text = "Error: \"lxcfsd holder\" is for the daemon itself\n"
            // There is nobody else to tell if that fails.
            _ = write(STDERR_FILENO, text, text.utf8.count)
            exit(64)
        }
        do {
            try ChildProcess.dieWithParent()
            try ChildProcess.setName("lxcfsd-holder")
            _ = try HeldFiles.open(below: path, limit: limit)
            try Privileges.keepOnly([])
        } catch {
            let text = "Error: lxcfsd holder: \(error)\n"
            _ = write(STDERR_FILENO, text, text.utf8.count)
            exit(1)
        }
        while true { pause() }
    }

    /// A machine with 256 CPUs has some 10,000 files.
    private static let limit: Int32 = 65_536
}
