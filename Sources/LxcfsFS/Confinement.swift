import Cgroups
import Glibc
import Logging
import LxcfsHandover
import Syscalls

/// What a worker may still do once it has everything open: read procfs, sysfs and cgroups, and keep
/// its state files. Nothing else can be opened, no other process be looked into, and all
/// capabilities are gone, whatever a container has it do (SECURITY.md, "The worker").
///
/// What it needs beyond that is done by its ``Aide``.
enum Confinement {
    /// Starts the aide. Before the first thread, and before ``apply(_:_:_:log:)``.
    static func startAide(
        _ roots: borrowing HostRoots, _ mode: SystemCallFilter.Mode
    ) throws(SystemError) {
        try Aide.start(roots.proc) {
            try Privileges.keepOnly([.trace], dormant: [.resources, .allFiles])
            try SystemCallFilter.aide.load(mode)
        }
    }

    /// Gives up everything else. Before the first thread, for each thread has its own.
    ///
    /// - Parameter state: the directory of the state files.
    /// - Throws: `SystemError`; `DaemonError` if there are other threads.
    static func apply(
        _ host: Host, state: String, _ mode: SystemCallFilter.Mode, log: Logger
    ) throws {
        let threads = try host.roots.proc.list("self/task").count
        guard threads == 1 else {
            throw DaemonError("cannot confine a worker that has \(threads) threads already")
        }
        try Privileges.keepOnly([])
        // With `log`, calls that are forbidden are to be made.
        if mode == .kill { try restrictFiles(host, state, log) }
    }

    private static func restrictFiles(
        _ host: Host, _ state: String, _ log: Logger
    ) throws(SystemError) {
        let rules: Landlock
        do {
            rules = try Landlock()
        } catch {
            guard error.errno == ENOSYS || error.errno == EOPNOTSUPP else { throw error }
            log.notice(
                "the kernel has no Landlock: a worker may open files like any root process")
            return
        }
        try rules.allow(.read, below: host.roots.proc, path: "procfs")
        try rules.allow(.read, below: host.roots.sys, path: "sysfs")
        // Its own threads' state is read there.
        let mounted = "/proc"
        try rules.allow(.read, below: try .open(mounted, O_PATH | O_DIRECTORY), path: mounted)
        for mount in host.tree.mounts.mounts {
            let path = mount.mountPoint
            try rules.allow(.read, below: try .open(path, O_PATH | O_DIRECTORY), path: path)
        }
        do {
            try rules.allow(
                .keepFiles, below: try .open(state, O_PATH | O_DIRECTORY), path: state)
        } catch {
            // Removed: then there is nothing to keep.
            guard error.errno == ENOENT else { throw error }
        }
        try Privileges.forbidNew()
        try rules.restrict()
    }
}
