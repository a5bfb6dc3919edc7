/// What knows how engines are configured. Only the program `lxcfs-hook-setup` has one: the hook
/// starts for every container, and carries no reader of TOML.
package protocol Setup {
    /// Does `install` or `uninstall`.
    func run(_ request: SetupRequest) -> ExitCode

    /// Which engines are here, and whether each would have a new container served.
    func findings() -> [Finding]
}
