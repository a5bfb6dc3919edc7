/// What `install` and `uninstall` are asked for.
package struct SetupRequest: Equatable, Sendable {
    package enum Action: Sendable {
        case install, uninstall
    }

    package var action: Action
    package var engine: EngineName
    /// Containers for which nobody asks for it are served, too.
    package var setsDefault = false
    /// Shows what would change, and changes nothing.
    package var isDryRun = false
    /// Has systemd reload or restart the engine.
    package var restarts = false
    /// The directory in which the engine's `/` is; `/` for this machine.
    package var root = "/"
    /// The engine's configuration file as seen from its root; nil for the usual one.
    package var config: String?
    /// Where `lxcfs-runtime` is, as seen from the root; nil for the usual place.
    package var runtimePath: String?
    /// Where this hook is, as seen from the root; nil for the usual place.
    package var hookPath: String?

    package init(_ action: Action, _ engine: EngineName) {
        self.action = action
        self.engine = engine
    }
}
