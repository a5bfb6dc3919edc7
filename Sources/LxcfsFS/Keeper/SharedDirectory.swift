import LxcfsHandover

/// Directories in which others have something of theirs: none of them is a runtime directory.
///
/// lxcfs has the option `--runtime-dir`, too, and makes a directory below the one that it names. Who
/// gives this daemon lxcfs's own `/run` would have it take `/run/containers`, which is podman's and
/// CRI-O's, for its own.
enum SharedDirectory {
    private static let paths: Set = [
        "/", "/run", "/var/run", "/tmp", "/var/tmp", "/var/lib", "/var",
    ]

    /// - Throws: `DaemonError` if it is one of them.
    static func refuse(_ path: String) throws(DaemonError) {
        let path = normal(path)
        guard paths.contains(path) else { return }
        throw DaemonError(
            "--runtime-dir names the directory itself, which must be lxcfsd's alone, not the one "
                + "above it as with lxcfs: --runtime-dir=\(path == "/" ? "" : path)/lxcfs")
    }

    /// Without slashes and dots that mean nothing.
    private static func normal(_ path: String) -> String {
        let parts = path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        return path.hasPrefix("/") ? "/" + parts : parts
    }
}
