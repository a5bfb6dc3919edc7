import Control

/// What lies where in the runtime directory (docs/operations.md).
package struct RuntimeDirectory: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    package var controlSocket: String { Defaults.controlSocket(in: path) }
    package var seccompSocket: String { Defaults.seccompSocket(in: path) }
    /// One file for each registered container.
    package var containers: String { path + "/containers" }
    /// What counts on across workers. The number is that of its layout: another one is not
    /// understood.
    package var counters: String { path + "/counters.2" }
    /// The names of what a service manager stores for the keeper.
    package var storedDescriptors: String { path + "/kept.json" }
    /// Where the connection of the containers is mounted, with the other one in it. Not below the
    /// mountpoint: a mount with others below it cannot be bound without them in a user namespace
    /// (mount_namespaces(7), "locked").
    package var tree: String { path + "/tree" }
    /// Unless the command line says otherwise.
    package var pidFile: String { path + "/lxcfsd.pid" }
}
