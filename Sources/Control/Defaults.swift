import Glibc

/// Where daemon and hook meet unless told otherwise.
public enum Defaults {
    /// Sockets, state files and the pid file of the daemon.
    public static let runtimeDirectory = "/run/lxcfs"

    /// The control socket in a runtime directory.
    public static func controlSocket(in runtimeDirectory: String) -> String {
        runtimeDirectory + "/control.sock"
    }

    /// The socket of the seccomp agent in a runtime directory.
    public static func seccompSocket(in runtimeDirectory: String) -> String {
        runtimeDirectory + "/seccomp.sock"
    }
}
