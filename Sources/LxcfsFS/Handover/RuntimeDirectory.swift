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
    /// Unless the command line says otherwise.
    package var pidFile: String { path + "/lxcfsd.pid" }
}
