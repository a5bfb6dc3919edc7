/// Where the virtual files come from.
enum Origin: Equatable, Sendable {
    /// From the lxcfsd that has this runtime directory.
    case daemon(runtimeDirectory: String)
    /// From the lxcfs that is mounted at this place. It serves every container, and none is
    /// registered with it.
    case lxcfs(root: String)
}
