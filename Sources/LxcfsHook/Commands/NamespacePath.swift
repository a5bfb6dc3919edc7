import Glibc
import OCISpec
import Syscalls

/// Where the path of a namespace in config.json leads.
enum NamespacePath {
    /// Whether a container is to join the hook's own namespace, which is the host's, by a path.
    static func isOurs(_ kind: Namespace.Kind, _ config: Config) -> Bool {
        guard let path = config.namespace(kind)?.path, !path.isEmpty else { return false }
        let name = kind == .mount ? "mnt" : kind.rawValue
        let own = "/proc/self/ns/" + name
        do {
            return try FileDescriptor.open(path).identity(path: path)
                .isSameFile(as: FileDescriptor.open(own).identity(path: own))
        } catch {
            // The runtime will say what is wrong with it.
            return false
        }
    }
}
