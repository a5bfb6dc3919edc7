/// Where the virtual files come from.
enum Origin: Equatable, Sendable {
    /// lxcfsd, by its runtime directory.
    case daemon(runtimeDirectory: String)
    /// A mountpoint of lxcfs, where nothing is registered.
    case lxcfs(root: String)
}
